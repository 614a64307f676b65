import type { Database, Transaction } from "../database/connection.ts";
import { forgetLog } from "./forget-logs.ts";
import { standsFrom } from "./kept-deployments.ts";
import { subjectToText } from "./reports.ts";
import { rest } from "./slices.ts";

const atOnce = 50;
const receiptsAtOnce = 500;
/** GitHub redelivers what is up to 7 days old, and recovery must know what has arrived: https://docs.github.com/en/enterprise-server/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks */
const guidsAtLeast = 8 * 24 * 3_600_000;

/**
 * Deletes the runs that ended before this moment with all that belongs to them, and receipts and file readings that are older. Kept are what is
 * unfinished or still counts for it, and of each environment what is live, what was live before it, and all since. Returns how many runs it deleted.
 */
export async function forgetHistory(database: Database, before: number, now: number, stop: AbortSignal): Promise<number> {
  let forgotten = 0;
  for (let after = 0; !stop.aborted; await rest()) {
    const runs = await database.read((db) =>
      db
        .selectFrom("run")
        .select(["id", "kind", "state", "finished_at"])
        .where("id", ">", after)
        // Runs are numbered in the order of their birth: this ends the search where the young ones begin.
        .where("created_at", "<", before)
        .orderBy("id")
        .limit(atOnce)
        .execute(),
    );
    for (const run of runs)
      if (!stop.aborted && run.state === "finished" && (run.finished_at ?? before) < before) {
        if (!(await database.write((tx) => isForgotten(tx, run.id, before)))) continue;
        // First its log, in slices: together they may be large.
        if (!(await forgetLog(database, run.id, before, stop))) continue;
        if (await database.write((tx) => forgetRun(tx, run.id, before))) forgotten += 1;
      }
    const last = runs.at(-1);
    if (last === undefined || runs.length < atOnce) break;
    after = last.id;
  }
  await forgetReadings(database, before, stop);
  await forgetReceipts(database, Math.min(before, now - guidsAtLeast), stop);
  return forgotten;
}

/** Whether nobody needs the run any more. */
async function isForgotten(tx: Transaction, id: number, before: number): Promise<boolean> {
  const query = tx.db.selectFrom("run").selectAll().where("id", "=", id).where("state", "=", "finished");
  const old = query.where("finished_at", "<", before);
  const run = await (tx.engine === "postgres" ? old.forUpdate() : old).executeTakeFirst();
  if (run === undefined) return false;
  if (run.kind === "deployment") return run.id < (await standsFrom(tx.db, run.repository, run.name));
  return !(await isStillNeeded(tx, run));
}

/** What a check found counts for unfinished deployments of its commit or tree, and for a pull request that is open. */
async function isStillNeeded(
  tx: Transaction,
  { repository, sha, tree }: { readonly repository: number; readonly sha: string; readonly tree: string | null },
): Promise<boolean> {
  const unfinished = await tx.db
    .selectFrom("run")
    .select("id")
    .where("repository", "=", repository)
    .where("state", "<>", "finished")
    .where((is) => is.or([is("sha", "=", sha), ...(tree === null ? [] : [is("tree", "=", tree)])]))
    .limit(1)
    .executeTakeFirst();
  if (unfinished !== undefined) return true;
  const head = tx.db
    .selectFrom("pull_request_head")
    .select("number")
    .where("repository", "=", repository)
    .where("head_sha", "=", sha)
    .where("state", "=", "open")
    .limit(1);
  return (await head.executeTakeFirst()) !== undefined;
}

async function forgetRun(tx: Transaction, id: number, before: number): Promise<boolean> {
  if (!(await isForgotten(tx, id, before))) return false;
  const run = await tx.db
    .deleteFrom("run")
    .where("id", "=", id)
    .returning(["repository", "sha", "name", "preview", "pull_request"])
    .executeTakeFirst();
  if (run === undefined) return false;
  await tx.db.deleteFrom("attempt").where("run", "=", id).execute();
  await tx.db.deleteFrom("step").where("run", "=", id).execute();
  await tx.db.deleteFrom("callback").where("run", "=", id).execute();
  await forgetReports(tx, [subjectToText(run.repository, { kind: "run", id })]);
  await forgetCommit(tx, run.repository, run.sha);
  if (run.preview !== null && run.pull_request !== null) await forgetPreviews(tx, run.repository, run.pull_request, run.name);
  return true;
}

/** What was said of a pull request's previews goes with the last of their runs. */
async function forgetPreviews(tx: Transaction, repository: number, pullRequest: number, name: string): Promise<void> {
  const left = await tx.db
    .selectFrom("run")
    .select("name")
    .distinct()
    .where("repository", "=", repository)
    .where("pull_request", "=", pullRequest)
    .where("preview", "is not", null)
    .execute();
  if (!left.some((run) => run.name === name)) await forgetReports(tx, [subjectToText(repository, { kind: "environment", name })]);
  if (left.length === 0) await forgetReports(tx, [subjectToText(repository, { kind: "previews", pullRequest })]);
}

/** What was said of a commit goes with the last of its runs. */
async function forgetCommit(tx: Transaction, repository: number, sha: string): Promise<void> {
  const left = tx.db.selectFrom("run").select("id").where("repository", "=", repository).where("sha", "=", sha).limit(1);
  if ((await left.executeTakeFirst()) !== undefined) return;
  await tx.db.deleteFrom("file_reading").where("repository", "=", repository).where("sha", "=", sha).execute();
  await forgetReports(tx, [subjectToText(repository, { kind: "commit", sha }), subjectToText(repository, { kind: "file", sha })]);
}

async function forgetReports(tx: Transaction, subjects: readonly string[]): Promise<void> {
  await tx.db.deleteFrom("report").where("subject", "in", subjects).execute();
  await tx.db.deleteFrom("chat_message").where("subject", "in", subjects).execute();
}

/** Only of commits that people must be told about, so there are few. */
async function forgetReadings(database: Database, before: number, stop: AbortSignal): Promise<void> {
  const old = await database.read((db) =>
    db.selectFrom("file_reading").select(["repository", "sha"]).where("read_at", "<", before).execute(),
  );
  for (const { repository, sha } of old) if (!stop.aborted) await database.write((tx) => forgetCommit(tx, repository, sha));
}

async function forgetReceipts(database: Database, before: number, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const old = await database.read((db) =>
      db.selectFrom("receipt").select(["id", "received_at", "state"]).orderBy("id").limit(receiptsAtOnce).execute(),
    );
    const ids = old.filter((row) => row.received_at < before && row.state !== "received").map((row) => row.id);
    if (ids.length === 0) return;
    await database.write((tx) => tx.db.deleteFrom("receipt").where("id", "in", ids).execute());
    await rest();
  }
}
