import { type Kysely, type Migration, sql } from "kysely";

/** Pull requests that may be merged when they are green. */
export function merging(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("merge_candidate")
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("number", "bigint", (c) => c.notNull())
        .addColumn("head_sha", "text", (c) => c.notNull())
        .addColumn("wanted", "bigint", (c) => c.notNull())
        .addColumn("done", "bigint", (c) => c.notNull().defaultTo(0))
        .addColumn("not_before", "bigint", (c) => c.notNull().defaultTo(0))
        .addColumn("held_until", "bigint", (c) => c.notNull().defaultTo(0))
        .addColumn("tries", "integer", (c) => c.notNull().defaultTo(0))
        .addColumn("asked_sha", "text")
        .addColumn("said", "text")
        .addColumn("comment", "bigint")
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addPrimaryKeyConstraint("merge_candidate_key", ["repository", "number"])
        .execute();
      await sql`create index merge_candidate_of on merge_candidate(repository, head_sha)`.execute(db);
      // For the metrics, which count what has ended since they looked last.
      await sql`create index attempt_ended on attempt(finished_at) where finished_at is not null`.execute(db);
    },
  };
}
