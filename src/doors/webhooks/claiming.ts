import { sql } from "kysely";
import type { Transaction } from "../../database/connection.ts";

/** A receipt that is ours to handle until its lease ends. */
export interface Claimed {
  readonly id: number;
  readonly guid: string;
  readonly event: string;
  readonly body: string;
  readonly received_at: number;
  /** This one included. */
  readonly attempts: number;
}

/** What became of a receipt that we handled; one that is "received" again is handled again after `wait` milliseconds. */
export type Settlement =
  | { readonly receipt: number; readonly state: "handled"; readonly error: null }
  | { readonly receipt: number; readonly state: "failed"; readonly error: string }
  | { readonly receipt: number; readonly state: "received"; readonly error: string; readonly wait: number };

/** Milliseconds without `extendLeases` after which another process may handle what we claimed. */
const lease = 15_000;

/** Takes the oldest receipts of at most `limit` series in which nothing is being handled, and nothing waits to be tried again. */
export async function claim(tx: Transaction, owner: string, limit: number): Promise<Claimed[]> {
  // Of two claims at once each would see the series as free.
  if (tx.engine === "postgres") await sql`select pg_advisory_xact_lock(hashtext('signalbox inbox'))`.execute(tx.db);
  // From series to series by the index, so that a long backlog of one costs nothing. On PostgreSQL an older receipt may appear after
  // a younger one was claimed: hence the look for any lease in the series.
  const { rows } = await sql<Claimed>`
    with recursive line (series) as (
      select min(series) from receipt where state = 'received'
      union all
      select (select min(series) from receipt where state = 'received' and series > line.series) from line where line.series is not null
    ), head (id) as (
      select (select min(id) from receipt where state = 'received' and series = line.series) from line where line.series is not null
    )
    update receipt set owner = ${owner}, lease_until = ${tx.now + lease}, attempts = attempts + 1
    where id in (
      select first.id from head join receipt first on first.id = head.id
      where first.not_before <= ${tx.now} and not exists (
        select 1 from receipt other
        where other.series = first.series and other.state = 'received' and other.lease_until > 0 and other.lease_until > ${tx.now}
      )
      order by first.id limit ${limit}
    )
    returning id, guid, event, body, received_at, attempts`.execute(tx.db);
  return rows.toSorted((a, b) => a.id - b.id);
}

/** Stores what became of a receipt, unless its lease was lost meanwhile and it is another's by now. */
export async function settle(tx: Transaction, owner: string, settlement: Settlement): Promise<void> {
  const { receipt, state, error } = settlement;
  const times = state === "received" ? { not_before: tx.now + settlement.wait } : { finished_at: tx.now };
  await tx.db
    .updateTable("receipt")
    .set({ state, error, ...times, owner: null, lease_until: 0 })
    .where("id", "=", receipt)
    .where("owner", "=", owner)
    .where("state", "=", "received")
    .execute();
}

export async function extendLeases(tx: Transaction, owner: string): Promise<void> {
  await sql`update receipt set lease_until = ${tx.now + lease} where state = 'received' and lease_until > 0 and owner = ${owner}`.execute(
    tx.db,
  );
}

/** For SQLite, where the only server that there can be has just started. */
export async function releaseLeasesOfTheDead(tx: Transaction): Promise<void> {
  await sql`update receipt set owner = null, lease_until = 0 where state = 'received' and lease_until > 0`.execute(tx.db);
}
