import { sql } from "kysely";
import type { Query, Transaction } from "../database/connection.ts";

/**
 * Says, in the same transaction as the change, that a repository's waiting deployments must be thought through again; `soon` when nobody
 * waits for what comes of it.
 */
export async function wantReconsidering(tx: Transaction, repository: number, when: "now" | "soon" = "now"): Promise<void> {
  await tx.db
    .updateTable("repository")
    .set({ reconsider_wanted: sql`reconsider_wanted + 1` })
    .where("id", "=", repository)
    .execute();
  tx.ring(when === "now" ? "gates" : "heads");
}

/** The repositories with something to think through; `wanted` goes back to `reconsidered`. One that the App lost has its turn when it comes back. */
export async function toReconsider(db: Query): Promise<readonly { readonly repository: number; readonly wanted: number }[]> {
  const rows = await db
    .selectFrom("repository")
    .select(["id", "reconsider_wanted"])
    .whereRef("reconsider_done", "<", "reconsider_wanted")
    .where("active", "=", 1)
    .orderBy("id")
    .execute();
  return rows.map((row) => ({ repository: row.id, wanted: row.reconsider_wanted }));
}

/** What came up to `wanted` is thought through; what came since is still to do. */
export async function reconsidered(tx: Transaction, repository: number, wanted: number): Promise<void> {
  await tx.db
    .updateTable("repository")
    .set({ reconsider_done: wanted })
    .where("id", "=", repository)
    .where("reconsider_done", "<", wanted)
    .execute();
}
