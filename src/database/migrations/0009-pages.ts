import { type Kysely, type Migration, sql } from "kysely";

/** What the pages need to find their rows among a million, and what a log line's page shows of it. */
export function pages(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await sql`create index run_of on run(repository, id)`.execute(db);
      await sql`create index run_named on run(repository, name, id)`.execute(db);
      await sql`create index run_deployments_of on run(repository, id) where kind = 'deployment'`.execute(db);
      await sql`create index run_of_commit on run(repository, sha, id)`.execute(db);
      await sql`create index run_of_pull_request on run(repository, pull_request, id) where pull_request is not null`.execute(db);
      // An outcome's text begins with its kind: {"kind":"failed"
      await sql`create index run_ended_as on run(repository, substr(outcome, 10, 4), id) where state = 'finished'`.execute(db);
      await sql`create index run_named_ended_as on run(repository, name, substr(outcome, 10, 4), id) where state = 'finished'`.execute(
        db,
      );
      await sql`create index run_caused_by on run(cause)`.execute(db);
      await sql`create index receipt_of on receipt(repository, id)`.execute(db);
      await sql`create index history_of_run on history(run, id) where run is not null`.execute(db);
      // Of indexes that fit equally well SQLite takes the newest: what is unfinished or live is few among many, so its indexes are made last.
      await sql`drop index run_live`.execute(db);
      await sql`create index run_live on run(repository, name, finished_at) where kind = 'deployment' and state = 'finished'`.execute(
        db,
      );
      await sql`drop index run_unfinished`.execute(db);
      await sql`create index run_unfinished on run(repository, name, id) where state <> 'finished'`.execute(db);
      await sql`create index run_unfinished_of on run(repository, id) where state <> 'finished'`.execute(db);
      await sql`alter table log_chunk add column at bigint`.execute(db);
      await sql`alter table log_chunk add column open_group text`.execute(db);
      await sql`alter table attempt add column first_error integer`.execute(db);
    },
  };
}
