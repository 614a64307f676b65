import type { Transaction } from "../database/connection.ts";
import type { Actor } from "./actor.ts";

/** What was done; only what changed something is written down. */
export interface Entry {
  readonly deed: string;
  readonly repository: number;
  readonly environment?: string;
  readonly run?: number;
  readonly reason?: string;
  /** JSON; the facts that a reader may ask for later. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Writes into the history who did what, in the same transaction as the deed. */
export async function record(tx: Transaction, actor: Actor, entry: Entry): Promise<void> {
  const { deed, repository, environment = null, run = null, reason = null, details } = entry;
  await tx.db
    .insertInto("history")
    .values({
      at: tx.now,
      repository,
      environment,
      run,
      person: actor.login,
      door: actor.door,
      deed,
      reason,
      details: JSON.stringify({ ...details, person_id: actor.id, role: actor.role, typed_by: actor.typedBy }),
    })
    .execute();
}
