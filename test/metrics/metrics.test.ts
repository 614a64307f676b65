import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { CompiledQuery, type KyselyPlugin, sql } from "kysely";
import { pino } from "pino";
import type { Database } from "../../src/database/connection.ts";
import { createMetrics } from "../../src/metrics/door.ts";
import { countEnded } from "../../src/metrics/ended.ts";
import { exposition } from "../../src/metrics/exposition.ts";
import { countRequests } from "../../src/metrics/requests.ts";
import { storedMetrics } from "../../src/metrics/stored.ts";
import { createCheck } from "../../src/runs/births.ts";
import { claim, finish } from "../../src/runs/queue.ts";
import { engines } from "../support/engines.ts";

/** Those of SQLite that hold only what is unfinished or unsent: to read one from its beginning to its end costs nothing. */
async function partialIndexes({ engine, read }: Database): Promise<readonly string[]> {
  if (engine === "postgres") return [];
  const { rows } = await read((db) =>
    sql<{ name: string }>`select name from sqlite_master where sql like '% where %'`.execute(db),
  );
  return rows.map(({ name }) => name);
}

/** How the database goes about a query. PostgreSQL takes small tables whole, unless that costs more than anything. */
function planOf(database: Database, query: string, parameters: readonly unknown[]): Promise<string> {
  const isPostgres = database.engine === "postgres";
  return database.write(async ({ db }) => {
    if (isPostgres) await db.executeQuery(CompiledQuery.raw("set local enable_seqscan = off"));
    const explain = isPostgres ? "explain" : "explain query plan";
    const { rows } = await db.executeQuery(CompiledQuery.raw(`${explain} ${query}`, [...parameters]));
    return rows.map((row) => Object.values(row as object).join(" ")).join("\n");
  });
}

describe.each(engines())("the metrics on %s", (_name, storage) => {
  let server: Server | null = null;
  afterEach(async () => {
    await new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())));
    server = null;
  });

  async function open(token: string | null) {
    const database = await storage.open();
    const requests = countRequests(async () => new Response("", { status: 200, headers: { "x-ratelimit-remaining": "4321" } }));
    server = createServer(createMetrics({ database, requests, token, log: pino({ level: "silent" }) }));
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
    return {
      database,
      requests,
      ask: (headers: Record<string, string> = {}) => fetch(url, { headers: { connection: "close", ...headers } }),
    };
  }

  it("count what waits, what has ended and how, and what GitHub was asked", async () => {
    const { database, requests, ask } = await open(null);
    const about = {
      repository: 7,
      ref: null,
      pullRequest: null,
      title: null,
      person: null,
      trust: "own",
      configuration: {},
    } as const;
    for (const name of ["a", "b"])
      await database.write((tx) =>
        createCheck(tx, { ...about, name, sha: "1".repeat(40), cause: { kind: "receipt", id: 1 }, start: { state: "queued" } }),
      );
    const run = await claim(database, "me", async () => "may start");
    await database.write((tx) => finish(tx, { id: run?.id ?? 0, attempt: 1, owner: "me" }, { kind: "failed", what: "it" }));
    await requests.fetch("http://example.com");
    const answer = await ask();
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await answer.text();
    for (const line of [
      'signalbox_runs{kind="check",state="queued"} 1',
      "signalbox_reports_unsent 3",
      'signalbox_runs_ended_total{kind="check",outcome="failed"} 1',
      'signalbox_run_duration_seconds_bucket{kind="check",le="5"} 1',
      'signalbox_github_requests_total{status="200"} 1',
      "signalbox_github_quota_remaining 4321",
    ])
      expect(text.split("\n")).toContain(line);
    // Asked again, nothing is counted twice.
    expect(await (await ask()).text()).toContain('signalbox_runs_ended_total{kind="check",outcome="failed"} 1\n');
  });

  it("read nothing of what has ended long ago: each query goes along an index", async () => {
    const database = await storage.open();
    const asked: CompiledQuery[] = [];
    await database.read(async (db) => {
      const noting: KyselyPlugin = {
        transformQuery({ node, queryId }) {
          asked.push(db.getExecutor().compileQuery(node, queryId));
          return node;
        },
        transformResult: async ({ result }) => result,
      };
      const noted = db.withPlugin(noting);
      await storedMetrics(noted, Date.now());
      await countEnded(Date.now()).metrics(noted);
    });
    expect(asked.length).toBeGreaterThan(5);
    const partial = await partialIndexes(database);
    for (const { sql: query, parameters } of asked) {
      const plan = await planOf(database, query, parameters);
      const scanned = [...plan.matchAll(/\bSCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?/g)].map(
        (found) => found[2] ?? found[1],
      );
      expect(scanned.filter((name) => name === undefined || !partial.includes(name))).toEqual([]);
      expect(plan).not.toContain("Seq Scan");
    }
  });

  it("are this machine's own, and not what a proxy on it forwards", async () => {
    const { ask } = await open(null);
    expect((await ask()).status).toBe(200);
    expect((await ask({ "x-forwarded-for": "203.0.113.7" })).status).toBe(403);
  });

  it("are for who has the token, from anywhere", async () => {
    const { ask } = await open("a-token-of-16-letters");
    expect((await ask()).status).toBe(401);
    expect((await ask({ authorization: "Bearer another" })).status).toBe(401);
    expect((await ask({ authorization: "Bearer a-token-of-16-letters", "x-forwarded-for": "203.0.113.7" })).status).toBe(200);
  });
});

describe("Prometheus' text", () => {
  it("escapes what would break it", () => {
    const samples = [{ labels: { name: 'a"b\\c\nd' }, value: 1 }];
    expect(exposition([{ name: "x", type: "gauge", help: "X.", samples }])).toBe(
      '# HELP x X.\n# TYPE x gauge\nx{name="a\\"b\\\\c\\nd"} 1\n',
    );
  });
});
