import { sql } from "kysely";
import type { Database } from "../../src/database/connection.ts";
import { rememberRepository } from "../../src/github/repository.ts";
import { openLog } from "../../src/runs/log.ts";

export const runs = 1_000_000;
export const longLog = 200_000;
const day = 86_400_000;

/** acme/shop with a million runs of two years: a tenth are deployments, a twentieth of all failed. */
export async function fillRuns(database: Database): Promise<void> {
  await database.write(async (tx) => {
    await rememberRepository(tx, {
      ...{
        id: 1,
        installation: 7,
        owner: "acme",
        name: "shop",
        defaultBranch: "main",
        cloneUrl: "http://127.0.0.1:9/acme/shop.git",
      },
      private: true,
    });
    const from = tx.now - 730 * day;
    const step = Math.floor((730 * day) / runs);
    await sql`
      with recursive n(i) as (select 1 union all select i + 1 from n where i < ${runs})
      insert into run (cause, kind, repository, sha, ref, pull_request, title, author, person, name, trust, task, automatic, lane, state,
        outcome, attempt, configuration, created_at, started_at, finished_at)
      select 'receipt ' || i, case i % 10 when 0 then 'deployment' else 'check' end, 1, printf('%040x', i), 'main', i / 7, 'A change', 'mira', 'jonas',
        case i % 10 when 0 then case i % 20 when 0 then 'staging' else 'production' end else 'check-' || (i % 5) end,
        case i % 10 when 0 then null else 'own' end, case i % 10 when 0 then 'deploy' else null end, 1,
        case i % 10 when 0 then '1/x' || i else null end, 'finished',
        case i % 23 when 0 then '{"kind":"failed","what":"it broke"}' else '{"kind":"passed"}' end, 1, 'null',
        ${from} + i * ${step}, ${from} + i * ${step} + 1000, ${from} + i * ${step} + 60000
      from n`.execute(tx.db);
    await sql`
      with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
      insert into receipt (guid, event, action, repository, body, received_at, finished_at, state)
      select 'guid-' || i, 'push', null, 1, '{}', ${from} + i, ${from} + i + 12, 'handled' from n`.execute(tx.db);
    const head = { base_ref: "main", fork: 0, state: "merged" as const, title: "A change", author: "mira" };
    await tx.db
      .insertInto("pull_request_head")
      .values({
        repository: 1,
        number: 1_000,
        head_sha: "0".repeat(36) + (7_000).toString(16),
        ...head,
        updated_at: from,
        heard_at: from,
      })
      .execute();
  });
}

/** A run whose log has as many lines as nobody reads; it has passed, or it goes on. */
export async function addRun(database: Database, name: string, lines: number): Promise<number> {
  const id = await database.write(async ({ db, now }) => {
    const row = {
      cause: "receipt 0",
      kind: "check" as const,
      repository: 1,
      sha: "f".repeat(40),
      ref: "main",
      title: "A long log",
    };
    const ended = lines === 0 ? {} : { outcome: '{"kind":"passed"}', finished_at: now };
    const made = await db
      .insertInto("run")
      .values({
        ...{ ...row, ...ended, name, trust: "own" as const, automatic: 1, attempt: 1, configuration: "null" },
        ...{ state: lines === 0 ? ("running" as const) : ("finished" as const), created_at: now, started_at: now },
        ...(lines === 0 ? { owner: "a measure", lease_until: now + 3_600_000 } : {}),
      })
      .returning("id")
      .executeTakeFirstOrThrow();
    await db
      .insertInto("attempt")
      .values({ run: made.id, number: 1, started_at: now, finished_at: null, outcome: null })
      .execute();
    return made.id;
  });
  const log = openLog(database, { run: id, attempt: 1, limit: 2 ** 30 });
  for (let at = 0; at < lines; at += 1_000)
    await log.write(new TextEncoder().encode(Array.from({ length: 1_000 }, (_, more) => lineOf(at + more + 1)).join("")));
  if (lines > 0) await log.close();
  return id;
}

/** A line as compilers and test runners print them. */
export function lineOf(number: number): string {
  if (number % 5 === 0)
    return `\x1b[32m✓\x1b[0m src/module-${number}.test.ts \x1b[2m(${number % 40} tests)\x1b[0m \x1b[33m${number % 90}ms\x1b[0m\n`;
  return `[${number % 64}] compiled packages/core/dist/index-${number}.js \x1b[2m${(number * 7919) % 100_000} bytes\x1b[0m in ${number % 200} ms\n`;
}
