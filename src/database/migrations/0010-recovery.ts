import { type Kysely, type Migration, sql } from "kysely";

/** What GitHub delivered and never arrived, whose turn it is to look for that, and what replicas share: who holds a report, an installation's pace. */
export function recovery(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("recovery")
        .addColumn("id", "integer", (c) => c.primaryKey())
        .addColumn("owner", "text")
        .addColumn("lease_until", "bigint", (c) => c.notNull().defaultTo(0))
        .addColumn("looked_at", "bigint")
        .addColumn("compared_until", "bigint")
        .addColumn("problem", "text")
        .execute();
      await sql`insert into recovery (id) values (1)`.execute(db);

      await db.schema
        .createTable("missed_delivery")
        .addColumn("guid", "text", (c) => c.primaryKey())
        .addColumn("delivery", "text", (c) => c.notNull())
        .addColumn("event", "text", (c) => c.notNull())
        .addColumn("action", "text")
        .addColumn("repository", "bigint")
        .addColumn("delivered_at", "bigint", (c) => c.notNull())
        .addColumn("found_at", "bigint", (c) => c.notNull())
        .addColumn("asked", "integer", (c) => c.notNull().defaultTo(0))
        .addColumn("not_before", "bigint", (c) => c.notNull().defaultTo(0))
        .addColumn("problem", "text")
        .execute();
      await sql`create index missed_delivery_age on missed_delivery(delivered_at)`.execute(db);

      await db.schema.alterTable("report").addColumn("holder", "text").execute();

      await db.schema
        .createTable("installation_pace")
        .addColumn("installation", "bigint", (c) => c.primaryKey())
        .addColumn("next_at", "bigint", (c) => c.notNull())
        .addColumn("paused_until", "bigint", (c) => c.notNull().defaultTo(0))
        .execute();
    },
  };
}
