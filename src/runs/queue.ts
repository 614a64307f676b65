import { sql } from "kysely";
import { type Database, isUniqueViolation, type Transaction } from "../database/connection.ts";
import { closeCallbacks } from "./callbacks.ts";
import { announce, change, endAttempt, type Hold, held } from "./changes.ts";
import { adopt, handedOver, handOver } from "./hand-over.ts";
import { runsOfPreview } from "./previews.ts";
import { liveRun } from "./read.ts";
import { wantReconsidering } from "./reconsidering.ts";
import { raise } from "./reports.ts";
import { type RunRow, runFromRow } from "./rows.ts";
import type { Cancellation, Gate, Lost, Outcome, Run, RunningRun, Some } from "./run.ts";
import { nextInTurn } from "./turns.ts";

/** How long a worker may be silent before its run counts as abandoned, in milliseconds. */
export const lease = 15_000;

/** Gates are decided again at the moment of the claim. */
export type MayStart = (tx: Transaction, run: Run) => Promise<"may start" | Some<Gate>>;

/**
 * Takes the queued run whose turn it is and whose lane is free; `null` when there is none. Many workers may claim at the same moment:
 * each run is taken once, and the index `run_one_active` refuses a second one in a lane.
 */
export async function claim(database: Database, owner: string, mayStart: MayStart): Promise<RunningRun | null> {
  for (;;) {
    try {
      const claimed = await database.write((tx) => claimNext(tx, owner, mayStart));
      if (claimed !== "shut") return claimed;
    } catch (error) {
      // Another worker took the lane between our look and our update; what is left is worth another look.
      if (!isUniqueViolation(error)) throw error;
    }
  }
}

async function claimNext(tx: Transaction, owner: string, mayStart: MayStart): Promise<RunningRun | "shut" | null> {
  const { orphan, servedLast } = await standing(tx);
  const adopted = orphan === null ? null : await adopt(tx, { owner, lease });
  if (adopted !== null) return adopted;
  const candidate = await nextInTurn(tx, servedLast);
  if (candidate === null) return null;
  const verdict = await mayStart(tx, runFromRow(candidate));
  if (verdict !== "may start") {
    await change(tx, candidate.id, "queued", { state: "waiting", gates: JSON.stringify(verdict) });
    await wantReconsidering(tx, candidate.repository);
    return "shut";
  }
  const started = await change(tx, candidate.id, "queued", {
    state: "running",
    owner,
    lease_until: tx.now + lease,
    attempt: candidate.attempt + 1,
    started_at: tx.now,
  });
  if (started?.state !== "running") return null;
  await tx.db
    .insertInto("attempt")
    .values({ run: started.id, number: started.attempt.number, started_at: tx.now, finished_at: null, outcome: null })
    .execute();
  return started;
}

/** Whether a deployment was handed over, and the repository that was served last: asked at once, as each question to PostgreSQL takes its time. */
async function standing(tx: Transaction): Promise<{ readonly orphan: number | null; readonly servedLast: number }> {
  const row = await tx.db
    .selectNoFrom((is) => [
      handedOver(is).select("id").limit(1).as("orphan"),
      is
        .selectFrom("run")
        .select("repository")
        .where("started_at", "is not", null)
        .orderBy("started_at", "desc")
        .limit(1)
        .as("served_last"),
    ])
    .executeTakeFirstOrThrow();
  return { orphan: row.orphan, servedLast: row.served_last ?? -1 };
}

/** Renews the lease. `lost` means that the run is no longer ours: stop the work. */
export async function beat(database: Database, hold: Hold): Promise<"go on" | "lost" | Cancellation> {
  return database.write(async (tx) => {
    const row = await held(tx, hold)
      .set({ lease_until: tx.now + lease })
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) return "lost";
    const run = runFromRow(row);
    return run.state === "running" && run.stop !== null ? run.stop : "go on";
  });
}

/** Keeps what the next attempt must know; `null` when there is nothing any more. `false` when the run is no longer ours. */
export async function remember(database: Database, hold: Hold, handle: unknown): Promise<boolean> {
  return database.write(
    async (tx) =>
      (await held(tx, hold)
        .set({ remembered: handle === null ? null : JSON.stringify(handle) })
        .returning("id")
        .executeTakeFirst()) !== undefined,
  );
}

/** Ends a run. `false` for a stale finish, which changes nothing: the run was reaped, or has another owner by now. */
export async function finish(tx: Transaction, hold: Hold, outcome: Outcome | Lost): Promise<boolean> {
  const row = await held(tx, hold)
    .set({ ...ended(tx, outcome), version: sql`version + 1` })
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return false;
  await endAttempt(tx, row, outcome);
  await closeCallbacks(tx, row.id);
  if (row.kind === "deployment" && outcome.kind === "passed") await raiseReplaced(tx, row);
  await announce(tx, row);
  return true;
}

/** The deployment that was live until now is shown as inactive; all of them when everything was taken down. */
async function raiseReplaced(tx: Transaction, row: RunRow): Promise<void> {
  const before =
    row.task === "teardown"
      ? await runsOfPreview(tx.db, row.repository, row.name)
      : [await liveRun(tx.db, row.repository, row.name, row.id)];
  const shown = before.filter((run) => run !== null && (row.task !== "teardown" || run.github !== null));
  await raise(
    tx,
    row.repository,
    shown.flatMap((run) => (run === null ? [] : [{ kind: "run" as const, id: run.id }])),
  );
}

/**
 * Gives a check back to the queue, as when the server stops or its surroundings fail; its attempt stays in the history. One that
 * somebody wants to stop ends instead. `false` when the run is no longer ours, and for a deployment: those are never repeated.
 */
export async function putBack(tx: Transaction, hold: Hold, notBefore = 0): Promise<boolean> {
  const row = await held(tx, hold)
    .where("kind", "=", "check")
    .where("stop", "is", null)
    .set({ state: "queued", owner: null, lease_until: null, not_before: notBefore, version: sql`version + 1` })
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) {
    const stopped = await lockedRow(tx, hold.id);
    return stopped?.kind === "check" && stopped.stop !== null && endStopped(tx, hold, stopped);
  }
  await endAttempt(tx, row, null);
  await announce(tx, row);
  return true;
}

/** Ends what somebody wants to stop; a check that may have left a build working elsewhere is queued once more, for the worker that stops that. */
async function endStopped(tx: Transaction, hold: Hold, { kind, stop, remembered }: RunRow): Promise<boolean> {
  if (kind !== "check" || remembered === null) return finish(tx, hold, cancelled(stop ?? ""));
  const row = await held(tx, hold)
    .set({ state: "queued", owner: null, lease_until: null, not_before: 0, version: sql`version + 1` })
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return false;
  await endAttempt(tx, row, null);
  await announce(tx, row);
  return true;
}

/**
 * Cancels what is unfinished: at once what has not started, and otherwise by asking the worker, whose run keeps its lane until
 * its work has stopped. Repeating it changes nothing; the first reason stays.
 */
export async function cancel(tx: Transaction, id: number, because: Cancellation): Promise<void> {
  // Locked, because a run also goes back: one that is just put back must not slip between two looks at its state.
  const row = await lockedRow(tx, id);
  if (row === undefined) return;
  switch (row.state) {
    case "queued":
      if (row.stop !== null) return;
      if (row.kind === "check" && row.remembered !== null) {
        // An earlier attempt left a build working elsewhere: whoever takes the run next stops it.
        await change(tx, id, "queued", { stop: JSON.stringify(because), not_before: 0 });
        return;
      }
      await change(tx, id, "queued", ended(tx, { kind: "cancelled", because }));
      return;
    case "waiting":
      await change(tx, id, "waiting", ended(tx, { kind: "cancelled", because }));
      return;
    case "running":
      if (row.stop !== null) return;
      await tx.db
        .updateTable("run")
        .set({ stop: JSON.stringify(because) })
        .where("id", "=", id)
        .execute();
      tx.ring("stops");
      return;
    case "finished":
  }
}

/** Waiting → queued, for a run whose gates have opened. `false` when it does not wait any more. */
export async function enqueue(tx: Transaction, id: number, judgedAgainst: number | null): Promise<boolean> {
  return (await change(tx, id, "waiting", { state: "queued", gates: null, judged_against: judgedAgainst })) !== null;
}

/** Says anew why a run waits. Nothing is raised when the gates are the same. */
export async function keepWaiting(tx: Transaction, id: number, gates: Some<Gate>): Promise<void> {
  const text = JSON.stringify(gates);
  const same = await tx.db.selectFrom("run").select("id").where("id", "=", id).where("gates", "=", text).executeTakeFirst();
  if (same === undefined) await change(tx, id, "waiting", { gates: text });
}

/**
 * Runs a finished check once more, as a new attempt; one that is being stopped, when it has stopped; behind gates, when they open.
 * `false` for one that is unfinished anyway, and for a deployment: those are never repeated.
 */
export async function retry(tx: Transaction, id: number, configuration: unknown, gates: readonly Gate[] = []): Promise<boolean> {
  const row = await lockedRow(tx, id);
  if (row?.kind !== "check") return false;
  const wanted = { configuration: JSON.stringify(configuration) };
  if ((row.state === "running" || row.state === "queued") && row.stop !== null) {
    // Its worker, which stops it, puts it back when nobody wants it stopped any more.
    return (await change(tx, id, row.state, { ...wanted, stop: null })) !== null;
  }
  const again = {
    ...wanted,
    ...(gates.length === 0 ? { state: "queued" as const } : { state: "waiting" as const, gates: JSON.stringify(gates) }),
    outcome: null,
    finished_at: null,
    remembered: null,
    stop: null,
    not_before: 0,
  };
  return (await change(tx, id, "finished", again)) !== null;
}

/**
 * Takes abandoned runs back: a check is queued again; a deployment is handed over when something was remembered with which to go on, and
 * is lost otherwise. `all` at the start of the only server, whose
 * running runs are known to be dead; otherwise those whose lease is over, but for those that the caller itself works on: they are alive,
 * whatever the clock says after it has jumped, or the machine has slept.
 */
export async function reap(tx: Transaction, which: "all" | "expired", alive: readonly number[] = []): Promise<number> {
  let dead = tx.db.selectFrom("run").selectAll().where("state", "=", "running").orderBy("id");
  if (alive.length > 0) dead = dead.where("id", "not in", alive);
  if (which === "expired") dead = dead.where("lease_until", "<", tx.now);
  // Who holds a row at this moment is alive.
  const rows = await (tx.engine === "postgres" ? dead.forUpdate().skipLocked() : dead).execute();
  let taken = 0;
  for (const row of rows) {
    const hold = { id: row.id, attempt: row.attempt, owner: row.owner ?? "" };
    // Also when it is to be stopped: what goes on elsewhere has to be stopped there.
    if (row.kind === "deployment" && row.remembered !== null) taken += Number(await handOver(tx, hold));
    else if (row.stop !== null) taken += Number(await endStopped(tx, hold, row));
    else if (row.kind === "check") taken += Number(await putBack(tx, hold));
    else taken += Number(await finish(tx, hold, { kind: "lost" }));
  }
  return taken;
}

/** The row as it is now; on PostgreSQL nobody else changes it before this transaction ends. */
async function lockedRow(tx: Transaction, id: number): Promise<RunRow | undefined> {
  const query = tx.db.selectFrom("run").selectAll().where("id", "=", id);
  return (tx.engine === "postgres" ? query.forUpdate() : query).executeTakeFirst();
}

/** `stop` is the column's text. */
function cancelled(stop: string): Outcome {
  return { kind: "cancelled", because: JSON.parse(stop) };
}

function ended(tx: Transaction, outcome: Outcome | Lost) {
  return {
    state: "finished" as const,
    outcome: JSON.stringify(outcome),
    finished_at: tx.now,
    owner: null,
    lease_until: null,
    gates: null,
  };
}
