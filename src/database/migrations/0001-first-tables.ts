import { type Kysely, type Migration, sql } from "kysely";
import { type Engine, withId } from "./columns.ts";

/** The tables of the first version; `../schema.ts` explains their columns. */
export function firstTables(engine: Engine): Migration {
  const bytes = engine === "sqlite" ? "blob" : "bytea";
  return {
    async up(db: Kysely<unknown>) {
      await withId(db.schema.createTable("receipt"), engine)
        .addColumn("guid", "text", (c) => c.notNull())
        .addColumn("event", "text", (c) => c.notNull())
        .addColumn("action", "text")
        .addColumn("installation", "bigint")
        .addColumn("repository", "bigint")
        .addColumn("series", "bigint", (c) => c.generatedAlwaysAs(sql`coalesce(repository, -installation, 0)`).stored())
        .addColumn("body", "text")
        .addColumn("received_at", "bigint", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("attempts", "integer", (c) => c.notNull().defaultTo(0))
        .addColumn("not_before", "bigint", (c) => c.notNull().defaultTo(0))
        .addColumn("finished_at", "bigint")
        .addColumn("error", "text")
        .addColumn("owner", "text")
        .addColumn("lease_until", "bigint", (c) => c.notNull().defaultTo(0))
        .execute();
      await sql`create index receipt_guid on receipt(guid)`.execute(db);
      await sql`create index receipt_leased on receipt(series) where state = 'received' and lease_until > 0`.execute(db);
      await sql`create index receipt_to_handle on receipt(series, id) where state = 'received'`.execute(db);

      await db.schema
        .createTable("repository")
        .addColumn("id", "bigint", (c) => c.primaryKey())
        .addColumn("installation", "bigint", (c) => c.notNull())
        .addColumn("owner", "text", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("default_branch", "text", (c) => c.notNull())
        .addColumn("clone_url", "text", (c) => c.notNull())
        .addColumn("private", "integer", (c) => c.notNull())
        .addColumn("active", "integer", (c) => c.notNull())
        .addColumn("reconsider_wanted", "integer", (c) => c.notNull().defaultTo(0))
        .addColumn("reconsider_done", "integer", (c) => c.notNull().defaultTo(0))
        .execute();
      await sql`create index repository_to_reconsider on repository(id) where reconsider_done < reconsider_wanted`.execute(db);
      await sql`create index repository_name on repository(lower(owner), lower(name))`.execute(db);

      await db.schema
        .createTable("pull_request_head")
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("number", "integer", (c) => c.notNull())
        .addColumn("head_sha", "text", (c) => c.notNull())
        .addColumn("base_ref", "text", (c) => c.notNull())
        .addColumn("fork", "integer", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("title", "text", (c) => c.notNull())
        .addColumn("author", "text", (c) => c.notNull())
        .addColumn("updated_at", "bigint", (c) => c.notNull())
        .addColumn("heard_at", "bigint", (c) => c.notNull())
        .addPrimaryKeyConstraint("pull_request_head_key", ["repository", "number"])
        .execute();
      await sql`create index pull_request_head_sha on pull_request_head(repository, head_sha)`.execute(db);

      await withId(db.schema.createTable("run"), engine)
        .addColumn("cause", "text", (c) => c.notNull())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("sha", "text", (c) => c.notNull())
        .addColumn("tree", "text")
        .addColumn("ref", "text")
        .addColumn("pull_request", "integer")
        .addColumn("title", "text")
        .addColumn("author", "text")
        .addColumn("person", "text")
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("trust", "text")
        .addColumn("task", "text")
        .addColumn("automatic", "integer", (c) => c.notNull())
        .addColumn("lane", "text")
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("version", "integer", (c) => c.notNull().defaultTo(1))
        .addColumn("gates", "text")
        .addColumn("judged_against", "bigint")
        .addColumn("outcome", "text")
        .addColumn("attempt", "integer", (c) => c.notNull().defaultTo(0))
        .addColumn("remembered", "text")
        .addColumn("configuration", "text", (c) => c.notNull())
        .addColumn("github", "bigint")
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("not_before", "bigint", (c) => c.notNull().defaultTo(0))
        .addColumn("started_at", "bigint")
        .addColumn("finished_at", "bigint")
        .addColumn("owner", "text")
        .addColumn("lease_until", "bigint")
        .addColumn("stop", "text")
        .execute();
      // The interlocking: two active runs in one lane are impossible, whatever the code does.
      await sql`create unique index run_one_active on run(lane) where state = 'running' and lane is not null`.execute(db);
      await sql`create unique index run_check on run(repository, sha, name, trust) where kind = 'check'`.execute(db);
      await sql`create unique index run_unfinished_deployment on run(repository, sha, name, task) where kind = 'deployment' and state <> 'finished'`.execute(
        db,
      );
      await sql`create unique index run_automatic on run(repository, sha, name) where kind = 'deployment' and automatic = 1`.execute(
        db,
      );
      await sql`create unique index run_github on run(repository, github) where github is not null`.execute(db);
      await sql`create index run_queued on run(id) where state = 'queued'`.execute(db);
      await sql`create index run_unfinished on run(repository, name, id) where state <> 'finished'`.execute(db);
      await sql`create index run_lane on run(lane, id) where state in ('queued', 'running')`.execute(db);
      await sql`create index run_lease on run(lease_until) where state = 'running'`.execute(db);
      await sql`create index run_live on run(repository, name, finished_at) where kind = 'deployment' and state = 'finished'`.execute(
        db,
      );
      await sql`create index run_tree on run(repository, tree) where kind = 'check'`.execute(db);

      await db.schema
        .createTable("attempt")
        .addColumn("run", "bigint", (c) => c.notNull())
        .addColumn("number", "integer", (c) => c.notNull())
        .addColumn("started_at", "bigint", (c) => c.notNull())
        .addColumn("finished_at", "bigint")
        .addColumn("outcome", "text")
        .addPrimaryKeyConstraint("attempt_key", ["run", "number"])
        .execute();

      await db.schema
        .createTable("step")
        .addColumn("run", "bigint", (c) => c.notNull())
        .addColumn("attempt", "integer", (c) => c.notNull())
        .addColumn("number", "integer", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("started_at", "bigint", (c) => c.notNull())
        .addColumn("finished_at", "bigint")
        .addColumn("exit_code", "integer")
        .addColumn("first_line", "integer", (c) => c.notNull())
        .addPrimaryKeyConstraint("step_key", ["run", "attempt", "number"])
        .execute();

      await db.schema
        .createTable("log_chunk")
        .addColumn("run", "bigint", (c) => c.notNull())
        .addColumn("attempt", "integer", (c) => c.notNull())
        .addColumn("seq", "integer", (c) => c.notNull())
        .addColumn("first_line", "integer", (c) => c.notNull())
        .addColumn("lines", "integer", (c) => c.notNull())
        .addColumn("bytes", sql.raw(bytes), (c) => c.notNull())
        .addPrimaryKeyConstraint("log_chunk_key", ["run", "attempt", "seq"])
        .execute();
      await sql`create index log_chunk_line on log_chunk(run, attempt, first_line)`.execute(db);

      await db.schema
        .createTable("file_reading")
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("sha", "text", (c) => c.notNull())
        .addColumn("reading", "text", (c) => c.notNull())
        .addColumn("read_at", "bigint", (c) => c.notNull())
        .addPrimaryKeyConstraint("file_reading_key", ["repository", "sha"])
        .execute();

      await db.schema
        .createTable("report")
        .addColumn("subject", "text", (c) => c.primaryKey())
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("wanted", "integer", (c) => c.notNull())
        .addColumn("sent", "integer", (c) => c.notNull())
        .addColumn("said", "text")
        .addColumn("attempts", "integer", (c) => c.notNull())
        .addColumn("not_before", "bigint", (c) => c.notNull())
        .addColumn("problem", "text")
        .execute();
      await sql`create index report_due on report(not_before) where sent < wanted`.execute(db);

      await db.schema
        .createTable("session")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("user_id", "bigint", (c) => c.notNull())
        .addColumn("login", "text", (c) => c.notNull())
        .addColumn("csrf", "text", (c) => c.notNull())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("used_at", "bigint", (c) => c.notNull())
        .execute();
    },
  };
}
