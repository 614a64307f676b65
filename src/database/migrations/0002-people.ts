import { type Kysely, type Migration, sql } from "kysely";
import { type Engine, withId } from "./columns.ts";

/** What people do: their history, approvals, locks and secrets; and what others than we say of a commit. */
export function people(engine: Engine): Migration {
  const bytes = engine === "sqlite" ? "blob" : "bytea";
  return {
    async up(db: Kysely<unknown>) {
      await withId(db.schema.createTable("history"), engine)
        .addColumn("at", "bigint", (c) => c.notNull())
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("environment", "text")
        .addColumn("run", "bigint")
        .addColumn("person", "text", (c) => c.notNull())
        .addColumn("door", "text", (c) => c.notNull())
        .addColumn("deed", "text", (c) => c.notNull())
        .addColumn("reason", "text")
        .addColumn("details", "text", (c) => c.notNull())
        .execute();
      await sql`create index history_of on history(repository, environment, id)`.execute(db);

      await db.schema
        .createTable("approval")
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("sha", "text", (c) => c.notNull())
        .addColumn("purpose", "text", (c) => c.notNull())
        .addColumn("person_id", "bigint", (c) => c.notNull())
        .addColumn("person", "text", (c) => c.notNull())
        .addColumn("at", "bigint", (c) => c.notNull())
        .addPrimaryKeyConstraint("approval_key", ["repository", "sha", "purpose", "person_id"])
        .execute();

      await db.schema
        .createTable("environment_lock")
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("environment", "text", (c) => c.notNull())
        .addColumn("person", "text", (c) => c.notNull())
        .addColumn("reason", "text", (c) => c.notNull())
        .addColumn("at", "bigint", (c) => c.notNull())
        .addPrimaryKeyConstraint("environment_lock_key", ["repository", "environment"])
        .execute();

      await db.schema
        .createTable("secret")
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("environment", "text", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("sealed", sql.raw(bytes), (c) => c.notNull())
        .addColumn("set_at", "bigint", (c) => c.notNull())
        .addPrimaryKeyConstraint("secret_key", ["repository", "environment", "name"])
        .execute();

      await db.schema
        .createTable("commit_context")
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("sha", "text", (c) => c.notNull())
        .addColumn("context", "text", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("updated_at", "bigint", (c) => c.notNull())
        .addPrimaryKeyConstraint("commit_context_key", ["repository", "sha", "context"])
        .execute();

      await db.schema
        .createTable("callback")
        .addColumn("token", "text", (c) => c.primaryKey())
        .addColumn("run", "bigint", (c) => c.notNull())
        .addColumn("attempt", "integer", (c) => c.notNull())
        .addColumn("body", "text")
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("arrived_at", "bigint")
        .execute();
      await sql`create index callback_run on callback(run)`.execute(db);
    },
  };
}
