import { type Kysely, type Migration, sql } from "kysely";

/** Previews, and what must be known of pull requests to have them. */
export function previews(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("preview")
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("environment", "text", (c) => c.notNull())
        .addColumn("preview", "text", (c) => c.notNull())
        .addColumn("pull_request", "integer", (c) => c.notNull())
        .addColumn("since", "bigint", (c) => c.notNull())
        .addPrimaryKeyConstraint("preview_key", ["repository", "environment"])
        .execute();

      await sql`alter table run add column preview text`.execute(db);
      await sql`create index run_preview on run(repository, pull_request, id) where preview is not null`.execute(db);
      // A pull request that is opened again has the same commit deployed again.
      await sql`drop index run_automatic`.execute(db);
      await sql`create unique index run_automatic on run(repository, sha, name) where kind = 'deployment' and automatic = 1 and preview is null`.execute(
        db,
      );

      await sql`alter table pull_request_head add column head_ref text not null default ''`.execute(db);
      await sql`alter table pull_request_head add column draft integer not null default 0`.execute(db);
      await sql`alter table pull_request_head add column active_at bigint not null default 0`.execute(db);
      await sql`update pull_request_head set active_at = heard_at`.execute(db);
      await sql`create index pull_request_open on pull_request_head(repository) where state = 'open'`.execute(db);
    },
  };
}
