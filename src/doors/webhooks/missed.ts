import { type ExpressionBuilder, sql } from "kysely";
import type { Query, Transaction } from "../../database/connection.ts";
import type { Tables } from "../../database/schema.ts";
import type { HookDelivery } from "../../github/hook-deliveries.ts";

/** Milliseconds after which another replica may look, when the one that did has fallen silent. */
const lease = 60_000;

/** Takes the turn to look, unless another replica has it or has looked within the last `every` milliseconds. Returns until when all was compared. */
export async function takeTurn(
  tx: Transaction,
  owner: string,
  every: number,
): Promise<{ readonly comparedUntil: number | null } | null> {
  const row = await tx.db
    .updateTable("recovery")
    .set({ owner, lease_until: tx.now + lease })
    .where((is) => is.or([is("looked_at", "is", null), is("looked_at", "<=", tx.now - every)]))
    // A server that is alone looks whoever looked before: on SQLite that one is dead.
    .where((is) => (tx.engine === "sqlite" ? is.lit(true) : is("lease_until", "<=", tx.now)))
    .returning("compared_until")
    .executeTakeFirst();
  return row === undefined ? null : { comparedUntil: row.compared_until };
}

/** `false` when the turn is another's by now: leave off. */
export async function keepTurn(tx: Transaction, owner: string): Promise<boolean> {
  const row = await tx.db
    .updateTable("recovery")
    .set({ lease_until: tx.now + lease })
    .where("owner", "=", owner)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

/** Gives the turn back with what came of it; `null` when it was broken off. */
export async function endTurn(
  tx: Transaction,
  owner: string,
  ending: { readonly comparedUntil: number } | { readonly problem: string } | null,
): Promise<void> {
  const looked =
    ending === null || "problem" in ending ? ending : { looked_at: tx.now, compared_until: ending.comparedUntil, problem: null };
  await tx.db
    .updateTable("recovery")
    .set({ owner: null, lease_until: 0, ...looked })
    .where("owner", "=", owner)
    .execute();
}

/** Keeps those that never arrived. Safe to repeat; returns the ones that are new. */
export async function keepMissed(tx: Transaction, deliveries: readonly HookDelivery[]): Promise<readonly string[]> {
  if (deliveries.length === 0) return [];
  const guids = [...new Set(deliveries.map(({ guid }) => guid))];
  const rows = await tx.db.selectFrom("receipt").select("guid").distinct().where("guid", "in", guids).execute();
  const arrived = new Set(rows.map(({ guid }) => guid));
  const missed = new Map(deliveries.filter(({ guid }) => !arrived.has(guid)).map((one) => [one.guid, one]));
  if (missed.size === 0) return [];
  const kept = await tx.db
    .insertInto("missed_delivery")
    .values(
      [...missed.values()].map(({ id, guid, event, action, repository, deliveredAt }) => ({
        guid,
        delivery: id,
        event,
        action,
        repository,
        delivered_at: deliveredAt.getTime(),
        found_at: tx.now,
        problem: null,
      })),
    )
    .onConflict((conflict) => conflict.column("guid").doNothing())
    .returning("guid")
    .execute();
  return kept.map(({ guid }) => guid);
}

/** A delivery that GitHub is to be asked for. */
export interface Missed {
  readonly guid: string;
  readonly delivery: string;
  readonly event: string;
  readonly action: string | null;
}

/** What is still missing and may be asked for, the oldest first. */
export async function missing(tx: Transaction, since: number, most: number): Promise<readonly Missed[]> {
  return tx.db
    .selectFrom("missed_delivery")
    .select(["guid", "delivery", "event", "action"])
    .where("delivered_at", ">=", since)
    .where("not_before", "<=", tx.now)
    .where("problem", "is", null)
    .where(hasNotArrived)
    .orderBy("delivered_at")
    .orderBy("guid")
    .limit(most)
    .execute();
}

/** GitHub has taken the wish. What still does not come (a tunnel may be down) is asked for again, less and less often. */
export async function noteAsked(tx: Transaction, guid: string): Promise<void> {
  await tx.db
    .updateTable("missed_delivery")
    .set({ asked: sql`asked + 1`, not_before: sql`cast(${tx.now + again} as bigint) + asked * cast(${3 * again} as bigint)` })
    .where("guid", "=", guid)
    .execute();
}

/** GitHub will not deliver it again. */
export async function noteRefused(tx: Transaction, guid: string, problem: string): Promise<void> {
  await tx.db.updateTable("missed_delivery").set({ problem }).where("guid", "=", guid).execute();
}

/** Forgets what GitHub has forgotten too. */
export async function forgetMissed(tx: Transaction, before: number): Promise<void> {
  await tx.db.deleteFrom("missed_delivery").where("delivered_at", "<", before).execute();
}

/** How recovery stands, for people. */
export interface RecoveryState {
  /** When the last look that ended well did so. */
  readonly lookedAt: Date | null;
  /** Why the newest look did not. */
  readonly problem: string | null;
  /** Deliveries that had not arrived when we looked, of those that GitHub still remembers. */
  readonly found: number;
  /** Of these, how many have arrived since. */
  readonly arrived: number;
  /** Of these, how many GitHub will not deliver again. */
  readonly refused: number;
}

export async function recoveryState(db: Query): Promise<RecoveryState> {
  const row = await db.selectFrom("recovery").select(["looked_at", "problem"]).executeTakeFirst();
  const missed = await db
    .selectFrom("missed_delivery")
    .select((is) => [
      is.fn.countAll<number>().as("found"),
      is.fn.sum<number | null>(is.case().when(hasNotArrived(is)).then(0).else(1).end()).as("arrived"),
      is.fn.count<number>("problem").as("refused"),
    ])
    .executeTakeFirst();
  return {
    lookedAt: row?.looked_at == null ? null : new Date(row.looked_at),
    problem: row?.problem ?? null,
    found: missed?.found ?? 0,
    arrived: missed?.arrived ?? 0,
    refused: missed?.refused ?? 0,
  };
}

/** An hour. */
const again = 3_600_000;

function hasNotArrived(is: ExpressionBuilder<Tables, "missed_delivery">) {
  return is.not(is.exists(is.selectFrom("receipt").select("receipt.id").whereRef("receipt.guid", "=", "missed_delivery.guid")));
}
