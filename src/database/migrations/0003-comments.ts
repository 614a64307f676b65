import { type Kysely, type Migration, sql } from "kysely";

/** What people command by comment, and what pushes have told of commits. */
export function comments(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("comment")
        .addColumn("id", "bigint", (c) => c.primaryKey())
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("person_id", "bigint", (c) => c.notNull())
        .addColumn("reaction", "text", (c) => c.notNull())
        .addColumn("answer", "text")
        .addColumn("heard_at", "bigint", (c) => c.notNull())
        .addColumn("answered_at", "bigint")
        .execute();
      await sql`create index comment_of on comment(repository, person_id, heard_at)`.execute(db);

      await db.schema
        .createTable("pushed_commit")
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("sha", "text", (c) => c.notNull())
        .addColumn("skip", "integer", (c) => c.notNull())
        .addColumn("heard_at", "bigint", (c) => c.notNull())
        .addPrimaryKeyConstraint("pushed_commit_key", ["repository", "sha"])
        .execute();
      await sql`create index pushed_commit_age on pushed_commit(heard_at)`.execute(db);

      // Commits of forks have no reading of their own: the base branch's file speaks.
      await sql`delete from file_reading where reading = '{"kind":"fork"}'`.execute(db);
    },
  };
}
