import { type Kysely, type Migration, sql } from "kysely";

/** Pull requests of which is still to be read what they change in the repository's file. */
export function edits(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await sql`alter table pull_request_head add column edit_wanted integer not null default 0`.execute(db);
      await sql`create index pull_request_edit on pull_request_head(repository) where edit_wanted = 1`.execute(db);
    },
  };
}
