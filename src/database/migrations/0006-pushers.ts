import type { Kysely, Migration } from "kysely";

/** Who pushed to a pull request, whether anything is checked there or not: their yes to its deployment does not count. */
export function pushers(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("pull_request_pusher")
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("number", "integer", (c) => c.notNull())
        .addColumn("person", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("pull_request_pusher_key", ["repository", "number", "person"])
        .execute();
    },
  };
}
