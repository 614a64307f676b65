import type { Transaction } from "../database/connection.ts";
import { createCheck, type NewCheck } from "../runs/births.ts";
import { enqueue, keepWaiting, retry } from "../runs/queue.ts";
import { checksOf } from "../runs/read.ts";
import { type Cause, type CheckGate, type CheckRun, isBeingStopped, type Trust } from "../runs/run.ts";
import type { PlannedCheck } from "./plan.ts";

/** The commit that is checked, and what people are told about it. */
export interface CheckedCommit {
  readonly cause: Cause;
  readonly repository: number;
  readonly sha: string;
  readonly ref: string | null;
  readonly pullRequest: number | null;
  readonly title: string | null;
  readonly person: string | null;
  readonly trust: Trust;
}

/**
 * Makes the runs of a commit, behind the gates if there are any. What exists already is shared: it runs again only when it was (or is
 * being) broken off, had nothing to do before, was planned differently, or when `again` says that a person asked for it by redelivering a
 * finished delivery.
 */
export async function startChecks(
  tx: Transaction,
  commit: CheckedCommit,
  planned: readonly PlannedCheck[],
  again: boolean,
  gates: readonly CheckGate[] = [],
): Promise<void> {
  const existing = new Map(
    (await checksOf(tx.db, commit.repository, commit.sha))
      .filter((run) => run.trust === commit.trust)
      .map((run) => [run.name, run]),
  );
  for (const one of planned) {
    const before = existing.get(one.name);
    if (before === undefined)
      await createCheck(tx, { ...commit, name: one.name, configuration: one.plan, start: startOf(one, gates) });
    else if (one.skip === null) await startAnew(tx, before, one, again, gates);
  }
}

function startOf({ skip }: PlannedCheck, [gate, ...more]: readonly CheckGate[]): NewCheck["start"] {
  if (skip !== null) return { state: "finished", outcome: { kind: "passed", note: skip } };
  return gate === undefined ? { state: "queued" } : { state: "waiting", gates: [gate, ...more] };
}

async function startAnew(
  tx: Transaction,
  run: CheckRun,
  { plan }: PlannedCheck,
  again: boolean,
  gates: readonly CheckGate[],
): Promise<void> {
  if (run.state !== "waiting") {
    if (wantsAnotherAttempt(run, plan, again)) await retry(tx, run.id, plan, gates);
    return;
  }
  await tx.db
    .updateTable("run")
    .set({ configuration: JSON.stringify(plan) })
    .where("id", "=", run.id)
    .execute();
  const [gate, ...more] = gates;
  await (gate === undefined ? enqueue(tx, run.id, null) : keepWaiting(tx, run.id, [gate, ...more]));
}

function wantsAnotherAttempt(run: CheckRun, plan: PlannedCheck["plan"], again: boolean): boolean {
  if (run.state !== "finished") return isBeingStopped(run);
  if (again || run.outcome.kind === "cancelled" || (run.outcome.kind === "passed" && run.outcome.note !== undefined)) return true;
  // A fork's check follows the base branch: what passed by another base's file says nothing about this one.
  return run.trust === "fork" && JSON.stringify(run.configuration) !== JSON.stringify(plan);
}
