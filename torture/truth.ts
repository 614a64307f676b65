import type { Repository } from "../demo/github/repository.ts";
import type { Database } from "../src/database/connection.ts";
import { liveRun } from "../src/runs/read.ts";
import { runFromRow } from "../src/runs/rows.ts";
import type { Run } from "../src/runs/run.ts";

/** What GitHub shows otherwise than it is; empty when all of it is true. */
export async function untruths(database: Database, repository: Repository): Promise<readonly string[]> {
  const { runs, waiting, receipts, live } = await database.read(async (db) => ({
    runs: (await db.selectFrom("run").selectAll().orderBy("id").execute()).map(runFromRow),
    waiting: await db.selectFrom("report").select("subject").whereRef("sent", "<", "wanted").execute(),
    receipts: await db.selectFrom("receipt").select(["guid", "not_before"]).where("state", "=", "received").execute(),
    live: await Promise.all(["staging", "production"].map((name) => liveRun(db, repository.id, name))),
  }));
  const liveIds = live.flatMap((run) => run?.id ?? []);
  // One that waits to be tried again, because GitHub was down, holds up those behind it, and tells nothing of us.
  const isHeldUp = receipts.some(({ not_before }) => not_before > Date.now());
  return [
    ...(isHeldUp ? [] : receipts).map(({ guid }) => `delivery ${guid} is still to be handled`),
    ...waiting.map(({ subject }) => `${subject} is still to be said`),
    ...runs.flatMap((run) => untruthOf(run, liveIds.includes(run.id), repository)),
  ];
}

function untruthOf(run: Run, isLive: boolean, repository: Repository): readonly string[] {
  if (run.kind === "check") {
    const shown = repository.statuses(run.sha).find(({ context }) => context === `signalbox/${run.name}`)?.state;
    const expected = stateOfCheck(run);
    return shown === expected ? [] : [`check ${run.id} is ${expected} and shown as ${shown}`];
  }
  // It was over before GitHub heard of it.
  if (run.github === null)
    return run.state === "finished" && run.attempt === null ? [] : [`deployment ${run.id} is not at GitHub`];
  const shown = repository
    .deployments()
    .find(({ id }) => id === run.github)
    ?.statuses.at(-1)?.state;
  const expected = stateOfDeployment(run, isLive);
  return shown === expected ? [] : [`deployment ${run.id} is ${expected} and shown as ${shown}`];
}

function stateOfCheck(run: Run): string {
  if (run.state !== "finished") return "pending";
  return { passed: "success", failed: "failure", errored: "error", cancelled: "error", lost: "error" }[run.outcome.kind];
}

function stateOfDeployment(run: Run, isLive: boolean): string {
  if (run.state === "running") return "in_progress";
  if (run.state !== "finished") return "queued";
  if (run.outcome.kind === "passed") return isLive ? "success" : "inactive";
  if (run.outcome.kind === "cancelled") return run.attempt === null ? "inactive" : "error";
  return run.outcome.kind === "failed" ? "failure" : "error";
}
