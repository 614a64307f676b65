import { sql, type UpdateObject } from "kysely";
import type { Transaction } from "../database/connection.ts";
import type { Tables } from "../database/schema.ts";
import { wantMergeThought } from "./merge-wants.ts";
import { wantReconsidering } from "./reconsidering.ts";
import { raise, subjectsOf } from "./reports.ts";
import { type RunRow, runFromRow } from "./rows.ts";
import type { Lost, Outcome, Run } from "./run.ts";

/** A worker's hold on a run. */
export interface Hold {
  readonly id: number;
  readonly attempt: number;
  readonly owner: string;
}

/** Moves a run on from a state it is believed to be in; `null` when it has left that state. */
export async function change(
  tx: Transaction,
  id: number,
  from: Run["state"],
  values: UpdateObject<Tables, "run">,
): Promise<Run | null> {
  const row = await tx.db
    .updateTable("run")
    .set({ ...values, version: sql`version + 1` })
    .where("id", "=", id)
    .where("state", "=", from)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return null;
  await announce(tx, row);
  return runFromRow(row);
}

/** Begins the change of a run that is still ours; no row when it is not. */
export function held(tx: Transaction, hold: Hold) {
  return tx.db
    .updateTable("run")
    .where("id", "=", hold.id)
    .where("owner", "=", hold.owner)
    .where("attempt", "=", hold.attempt)
    .where("state", "=", "running");
}

/** Closes the attempt's own row; without an outcome for one that another attempt follows. */
export async function endAttempt(tx: Transaction, row: RunRow, outcome: Outcome | Lost | null): Promise<void> {
  await tx.db
    .updateTable("attempt")
    .set({ finished_at: tx.now, outcome: outcome === null ? null : JSON.stringify(outcome) })
    .where("run", "=", row.id)
    .where("number", "=", row.attempt)
    .execute();
}

/** Tells everybody whom a change concerns, when the transaction is. */
export async function announce(tx: Transaction, row: RunRow): Promise<void> {
  await raise(tx, row.repository, subjectsOf(row));
  tx.ring("runs");
  tx.ring(`log:${row.id}`);
  if (row.state !== "finished") return;
  if (row.kind === "check") await wantMergeThought(tx, row.repository, row.sha);
  if (row.kind === "deployment" || (await someWait(tx, row.repository))) await wantReconsidering(tx, row.repository);
}

/** A check that ends matters to deployments only where some wait. */
async function someWait(tx: Transaction, repository: number): Promise<boolean> {
  const waiting = tx.db
    .selectFrom("run")
    .select("id")
    .where("repository", "=", repository)
    .where("kind", "=", "deployment")
    // The index knows the unfinished ones.
    .where("state", "<>", "finished")
    .where("state", "=", "waiting")
    .limit(1);
  return (await waiting.executeTakeFirst()) !== undefined;
}
