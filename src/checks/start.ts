import type { Transaction } from "../database/connection.ts";
import { createCheck } from "../runs/births.ts";
import { retry } from "../runs/queue.ts";
import { checksOf } from "../runs/read.ts";
import type { Cause, CheckRun, Trust } from "../runs/run.ts";
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
 * Makes the runs of a commit. What exists already is shared: it runs again only when it was (or is being) broken off, had nothing to do
 * before, or when `again` says that a person asked for it by redelivering a finished delivery.
 */
export async function startChecks(
  tx: Transaction,
  commit: CheckedCommit,
  planned: readonly PlannedCheck[],
  again: boolean,
): Promise<void> {
  const existing = new Map(
    (await checksOf(tx.db, commit.repository, commit.sha))
      .filter((run) => run.trust === commit.trust)
      .map((run) => [run.name, run]),
  );
  for (const { name, plan, skip } of planned) {
    const before = existing.get(name);
    if (before === undefined) {
      const start =
        skip === null
          ? ({ state: "queued" } as const)
          : ({ state: "finished", outcome: { kind: "passed", note: skip } } as const);
      await createCheck(tx, { ...commit, name, configuration: plan, start });
    } else if (skip === null && wantsAnotherAttempt(before, again)) {
      await retry(tx, before.id, plan);
    }
  }
}

function wantsAnotherAttempt(run: CheckRun, again: boolean): boolean {
  if (run.state === "running") return run.stop !== null;
  if (run.state !== "finished") return false;
  return again || run.outcome.kind === "cancelled" || (run.outcome.kind === "passed" && run.outcome.note !== undefined);
}
