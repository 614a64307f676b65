import { sql } from "kysely";
import type { Query, Transaction } from "../database/connection.ts";
import { announce, endAttempt, type Hold, held } from "./changes.ts";
import { runFromRow } from "./rows.ts";
import type { RunningRun } from "./run.ts";

/**
 * Leaves a deployment, which goes on elsewhere, to whoever comes next. It keeps its state and its lane: nothing may overtake what may be on
 * its way to the environment, and no gate holds back what has passed it. `false` when the run is no longer ours.
 */
export async function handOver(tx: Transaction, hold: Hold): Promise<boolean> {
  const row = await held(tx, hold)
    .where("kind", "=", "deployment")
    .where("remembered", "is not", null)
    .set({ owner: null, lease_until: null, version: sql`version + 1` })
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return false;
  await endAttempt(tx, row, null);
  await announce(tx, row);
  return true;
}

/** Those that nobody has taken yet. */
export function handedOver(db: Pick<Query, "selectFrom">) {
  return db.selectFrom("run").where("state", "=", "running").where("lease_until", "is", null).where("owner", "is", null);
}

/** Takes a deployment that was handed over, as a new attempt; a wish to stop it is still there. `null` when there is none. */
export async function adopt(
  tx: Transaction,
  { owner, lease }: { readonly owner: string; readonly lease: number },
): Promise<RunningRun | null> {
  const orphans = handedOver(tx.db).select(["id", "attempt"]);
  const [orphan] = await (tx.engine === "postgres" ? orphans.limit(1).forUpdate().skipLocked() : orphans.limit(1)).execute();
  if (orphan === undefined) return null;
  const row = await tx.db
    .updateTable("run")
    .set({ owner, lease_until: tx.now + lease, attempt: orphan.attempt + 1, started_at: tx.now, version: sql`version + 1` })
    .where("id", "=", orphan.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await tx.db
    .insertInto("attempt")
    .values({ run: row.id, number: row.attempt, started_at: tx.now, finished_at: null, outcome: null })
    .execute();
  await announce(tx, row);
  const run = runFromRow(row);
  return run.state === "running" ? run : null;
}
