import type { Query, Transaction } from "../database/connection.ts";
import { wantReconsidering } from "../runs/reconsidering.ts";
import { momentInWords } from "../runs/sentences.ts";
import type { Lock } from "./gates.ts";
import { type Refusal, refused } from "./refusal.ts";

interface Environment {
  readonly repository: number;
  readonly environment: string;
}

/** `null` for an environment that nobody locked. */
export async function lockOf(db: Query, { repository, environment }: Environment): Promise<Lock | null> {
  const row = await db
    .selectFrom("environment_lock")
    .selectAll()
    .where("repository", "=", repository)
    .where("environment", "=", environment)
    .executeTakeFirst();
  return row === undefined ? null : { by: row.person, reason: row.reason, since: new Date(row.at) };
}

/**
 * Locks an environment: from now on nothing starts there but a rollback; what runs goes on. A lock that is there stays as it is. The
 * environment must be one of the repository's file.
 */
export async function lockEnvironment(
  tx: Transaction,
  { repository, environment, by, reason }: Environment & { readonly by: string; readonly reason: string },
): Promise<{ readonly kind: "locked" } | Refusal> {
  const made = await tx.db
    .insertInto("environment_lock")
    .values({ repository, environment, person: by, reason, at: tx.now })
    .onConflict((conflict) => conflict.columns(["repository", "environment"]).doNothing())
    .returning("at")
    .executeTakeFirst();
  if (made === undefined) {
    const lock = await lockOf(tx.db, { repository, environment });
    const since = lock === null ? "" : ` by ${lock.by} since ${momentInWords(lock.since, "UTC")}: ${lock.reason}`;
    return refused("locked", `${environment} is locked already${since}`);
  }
  // What waits says so from now on.
  await wantReconsidering(tx, repository);
  return { kind: "locked" };
}

/** Takes the lock away, whoever set it, and lets what waited for it go. Returns the lock that was there. */
export async function unlockEnvironment(
  tx: Transaction,
  { repository, environment }: Environment,
): Promise<{ readonly kind: "unlocked"; readonly lock: Lock } | Refusal> {
  const lock = await lockOf(tx.db, { repository, environment });
  if (lock === null) return refused("nothing to do", `${environment} is not locked`);
  await tx.db
    .deleteFrom("environment_lock")
    .where("repository", "=", repository)
    .where("environment", "=", environment)
    .execute();
  await wantReconsidering(tx, repository);
  return { kind: "unlocked", lock };
}
