import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type GitHubStandIn, startGitHub } from "../demo/github/github.ts";
import { type Database, openDatabase } from "../src/database/connection.ts";
import { type PostgresServer, startPostgres } from "../test/support/postgres.ts";
import { environmentOf, type Replica, replica } from "../torture/replica.ts";
import type { Measure } from "./support/measure.ts";

const checks = 24;
/** Each waits, as for a service elsewhere, and computes next to nothing: these workers share two cores. */
const seconds = 6;

export const measure: Measure = {
  title: `${checks} checks that wait ${seconds} s each on PostgreSQL, two at a time in each worker`,
  async run() {
    const postgres = await startPostgres();
    try {
      const one = await take(postgres, 1);
      const four = await take(postgres, 4);
      const value = `1 worker ${one.toFixed(1)} s, 4 workers ${four.toFixed(1)} s`;
      return [{ what: "the work of four workers against one", value, ratio: one / four, aim: { is: "at least", ratio: 3 } }];
    } finally {
      await postgres.stop();
    }
  },
};

/** Seconds from the first check that could run to the end of the last. */
async function take(postgres: PostgresServer, workers: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "signalbox-bench-"));
  const github = await startGitHub();
  const url = await postgres.createDatabase();
  const env = { ...(await environmentOf(github)), DATABASE_URL: url };
  const replicas: Replica[] = ["web", ...Array<string>(workers).fill("worker")].map((role, index) =>
    replica(role === "web" ? "web" : "worker", { ...env, DATA_DIR: join(folder, String(index)) }),
  );
  let database: Database | null = null;
  try {
    for (const one of replicas) await one.start();
    github.webhooksTo(`${replicas[0]?.url}/api/github/webhooks`);
    database = await openDatabase({ url, folder });
    // Every worker has worked once: what is measured is not their start.
    await propose(github, "warm-up", 2 * workers, 1);
    await finished(database, 2 * workers);
    const began = performance.now();
    await propose(github, "measured", checks, seconds);
    await finished(database, 2 * workers + checks);
    return (performance.now() - began) / 1_000;
  } finally {
    await database?.close();
    await Promise.all(replicas.map((one) => one.kill()));
    await github.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function propose(github: GitHubStandIn, name: string, count: number, wait: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, index) => `  wait-${index}: { run: "sleep ${wait}" }\n`);
  const files = { ".github/signalbox.yml": `checks:\n${lines.join("")}` };
  const shop = await github.repository({ owner: "acme", name, files, permissions: { mira: "write" } });
  await shop.commit({ branch: "change", from: "main", files: { change: "" }, message: "Change", author: "mira" });
  await shop.openPullRequest({ title: "Change", head: "change", author: "mira" });
}

async function finished(database: Database, count: number): Promise<void> {
  for (;;) {
    const rows = await database.read((db) => db.selectFrom("run").select("id").where("state", "=", "finished").execute());
    if (rows.length >= count) return;
    await delay(50);
  }
}
