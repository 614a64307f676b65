import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { type Database, openDatabase, type Transaction } from "../src/database/connection.ts";
import { createCheck, createDeploymentRun } from "../src/runs/births.ts";
import { claim, finish } from "../src/runs/queue.ts";
import { holdOf, mayAlwaysStart, newCheck, newDeployment } from "../test/runs/scene.ts";
import { postgresIsMissing, startPostgres } from "../test/support/postgres.ts";
import { type Figure, type Measure, median, quantile } from "./support/measure.ts";

const finished = 1_000_000;
const queued = 100_000;
const repositories = 1_000;
const claims = 200;
/** Milliseconds. */
const limit = 5;
/** No statement takes longer than the server lets one take. */
const rowsAtOnce = 50_000;

export const measure: Measure = {
  title: `claiming a run where ${queued} are queued and ${finished} have finished, in ${repositories} repositories`,
  async run() {
    const figures = [await onSqlite()];
    if (postgresIsMissing() === null) figures.push(await onPostgres());
    return figures;
  },
};

async function onSqlite(): Promise<Figure> {
  const folder = await mkdtemp(join(tmpdir(), "signalbox-bench-"));
  try {
    return await measured("SQLite", await openDatabase({ url: null, folder, exclusive: true }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function onPostgres(): Promise<Figure> {
  const server = await startPostgres();
  try {
    return await measured("PostgreSQL", await openDatabase({ url: await server.createDatabase(), folder: tmpdir() }));
  } finally {
    await server.stop();
  }
}

async function measured(name: string, database: Database): Promise<Figure> {
  await fill(database);
  const times: number[] = [];
  for (let round = 0; round < claims; round += 1) {
    const began = performance.now();
    const run = await claim(database, "bench", mayAlwaysStart);
    times.push(performance.now() - began);
    if (run === null) throw new Error("Nothing was claimed");
    // A few run at a time, as on a machine with a few cores.
    if (round % 4 === 3) await database.write((tx) => finish(tx, holdOf(run, "bench"), { kind: "passed" }));
  }
  await database.close();
  const value = `median ${median(times).toFixed(2)} ms, p95 ${quantile(times, 0.95).toFixed(2)} ms, limit ${limit} ms`;
  return { what: name, value, ratio: median(times) / limit, aim: { is: "at most", ratio: 1 } };
}

/** Copies a check and a deployment, as the server makes them, by statements that make many rows at once. */
async function fill(database: Database): Promise<void> {
  const { check, deployment } = await database.write(async (tx) => ({
    check: (await createCheck(tx, newCheck())) ?? 0,
    deployment: (await createDeploymentRun(tx, newDeployment())) ?? 0,
  }));
  const outcome = JSON.stringify({ kind: "passed" });
  const copy = async (original: number, many: number, from: number, as: Parameters<typeof copies>[4]) => {
    for (let made = 0; made < many; made += rowsAtOnce)
      await database.write((tx) => copies(tx, original, Math.min(rowsAtOnce, many - made), from + made, as));
  };
  await copy(check, finished, 0, { state: "finished", outcome });
  await copy(check, queued / 2, finished, { state: "queued", outcome: null });
  await copy(deployment, queued / 2, finished + queued, { state: "queued", outcome: null });
  await database.write((tx) => tx.db.deleteFrom("run").where("id", "in", [check, deployment]).execute());
  await database.write((tx) => sql`analyze run`.execute(tx.db));
}

async function copies(
  tx: Transaction,
  original: number,
  many: number,
  from: number,
  { state, outcome }: { readonly state: "queued" | "finished"; readonly outcome: string | null },
): Promise<void> {
  const numbers =
    tx.engine === "sqlite"
      ? sql`(with recursive counting(n) as (select 1 union all select n + 1 from counting where n < ${many}) select n from counting)`
      : sql`(select generate_series(1, ${many}::integer) as n)`;
  const number = sql`(numbers.n + ${sql.lit(from)})`;
  const repository = sql`(1 + numbers.n % ${sql.lit(repositories)})`;
  const sha = tx.engine === "sqlite" ? sql`printf('%040d', ${number})` : sql`lpad(${number}::text, 40, '0')`;
  const at = state === "finished" ? number : sql`null`;
  await sql`
    insert into run (cause, kind, repository, sha, ref, title, author, person, name, trust, task, automatic, lane, state, outcome,
      attempt, configuration, created_at, started_at, finished_at)
    select cause, kind, ${repository}, ${sha}, ref, title, author, person, name, trust, task, automatic,
      case when lane is null then null else 'lane ' || ${repository} end, ${state}, ${outcome},
      ${sql.lit(state === "finished" ? 1 : 0)}, configuration, ${number}, ${at}, ${at}
    from run, ${numbers} as numbers where id = ${original}`.execute(tx.db);
}
