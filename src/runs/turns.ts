import { sql } from "kysely";
import type { Transaction } from "../database/connection.ts";
import type { RunRow } from "./rows.ts";

/**
 * The queued run whose turn it is, locked on PostgreSQL; `null` when none may be taken. The repository that runs least comes first; equals take
 * turns, in the order of their ids from the `last` that was served; within a repository it is the oldest run whose lane is free.
 * What it costs grows with what runs, not with what is queued or was run.
 */
export async function nextInTurn(tx: Transaction, last: number): Promise<RunRow | null> {
  for (const [after, to] of [
    [last, Number.MAX_SAFE_INTEGER],
    [-1, last],
  ] as const) {
    const row = await oldestOfIdle(tx, after, to);
    if (row !== null) return row;
  }
  for (const repository of await busy(tx, last)) {
    const row = await oldestOf(tx, repository);
    if (row !== null) return row;
  }
  return null;
}

/**
 * Of the first repository in that range that runs nothing and has something to start; where others are claiming all that it has, it is the
 * next one's turn. The recursion leaps from one to the next through `run_queued_of`.
 */
async function oldestOfIdle(tx: Transaction, after: number, to: number): Promise<RunRow | null> {
  const oldest =
    tx.engine === "postgres"
      ? sql`cross join lateral (select * from run r where r.repository = a.repository and ${mayStart(tx)}
          order by r.repository, r.id limit 1 for update skip locked) o`
      : sql`join run o on o.id = ${oldestIdOf(tx)}`;
  const { rows } = await sql<RunRow>`
    with recursive ${asking(after)}
    select o.* from asking a ${oldest} where a.repository <= ${to} and ${runningOf} = 0 limit 1`.execute(tx.db);
  return rows[0] ?? null;
}

/** Those that run something already: as many as run at most. */
async function busy(tx: Transaction, last: number): Promise<readonly number[]> {
  const { rows } = await sql<{ repository: number }>`
    with running(repository, runs) as (select repository, count(*) from run where state = 'running' group by repository)
    select a.repository from running a where ${oldestIdOf(tx)} is not null
    order by a.runs, case when a.repository > ${last} then 0 else 1 end, a.repository`.execute(tx.db);
  return rows.map((row) => row.repository);
}

async function oldestOf(tx: Transaction, repository: number): Promise<RunRow | null> {
  const skipLocked = tx.engine === "postgres" ? sql`for update skip locked` : sql``;
  const { rows } = await sql<RunRow>`
    select * from run r where r.repository = ${repository} and ${mayStart(tx)} order by r.repository, r.id limit 1 ${skipLocked}`.execute(
    tx.db,
  );
  return rows[0] ?? null;
}

function asking(after: number) {
  return sql`asking(repository) as (
    select (select n.repository from run n where n.state = 'queued' and n.repository > ${after} order by n.repository limit 1)
    union all
    select (select n.repository from run n where n.state = 'queued' and n.repository > asking.repository order by n.repository limit 1)
      from asking where asking.repository is not null
  )`;
}

const runningOf = sql`(select count(*) from run x where x.repository = a.repository and x.state = 'running')`;

function oldestIdOf(tx: Transaction) {
  return sql`(select r.id from run r where r.repository = a.repository and ${mayStart(tx)} order by r.repository, r.id limit 1)`;
}

/**
 * "skip locked" skips the row, not the lane: without the older ones in it, a claim under way in one lane would block the others. The states
 * stand first because SQLite finds the index `run_lane` by them; without, it reads the whole table.
 */
function mayStart(tx: Transaction) {
  return sql`r.state = 'queued' and r.not_before <= ${tx.now}
    and (r.lane is null or not exists (
      select 1 from run l where l.state in ('queued', 'running') and l.lane = r.lane and (l.state = 'running' or l.id < r.id)))`;
}
