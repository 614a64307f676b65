import { type Kysely, type Migration, sql } from "kysely";

/** What a claim needs to give each repository its turn without reading the whole queue. */
export function turns(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await sql`create index run_queued_of on run(repository, id) where state = 'queued'`.execute(db);
      await sql`create index run_running_of on run(repository) where state = 'running'`.execute(db);
      await sql`create index run_started on run(started_at) where started_at is not null`.execute(db);
      await sql`drop index run_queued`.execute(db);
    },
  };
}
