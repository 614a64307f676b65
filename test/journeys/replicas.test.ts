import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import { held, heldCommand, letGo, sandbox, statusBecomes } from "../support/journey.ts";
import { type PostgresServer, postgresIsMissing, startPostgres } from "../support/postgres.ts";
import { until } from "../support/until.ts";
import { type ServerProcess, startProcess } from "./server-process.ts";

// Four servers start, and a lease of 15 s passes on.

const missing = postgresIsMissing();
const describeOrSkip = missing === null ? describe : describe.skip;

describeOrSkip(`several replicas on PostgreSQL${missing === null ? "" : ` (skipped, because ${missing})`}`, () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres?.stop());

  let github: GitHubStandIn;
  let root: string;
  let url: string;
  const replicas: ServerProcess[] = [];
  beforeEach(async () => {
    github = await startGitHub();
    root = await mkdtemp(join(tmpdir(), "signalbox-replicas-"));
    url = await postgres.createDatabase();
  });
  afterEach(async () => {
    for (const replica of replicas.splice(0)) await replica.end("SIGKILL");
    await github.close();
    await rm(root, { recursive: true, force: true });
  });

  const folder = (name: string) => join(root, name);
  async function start(name: string, role: "web" | "worker"): Promise<ServerProcess> {
    const env = { ROLE: role, DATABASE_URL: url, SANDBOX: await sandbox, CONCURRENCY: "1" };
    const replica = await startProcess(github, folder(name), env, role === "web");
    replicas.push(replica);
    return replica;
  }

  async function propose() {
    const shop = await github.repository({
      owner: "acme",
      name: "shop",
      files: { ".github/signalbox.yml": `checks: { test: { run: "echo it works; ${held}" } }` },
      permissions: { mira: "write" },
    });
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    return { shop, sha };
  }

  it("start at the same moment on an empty database; when a worker is killed another one runs its checks, and every page tells it", async () => {
    const [web] = await Promise.all([start("web-1", "web"), start("web-2", "web"), start("one", "worker")]);
    const { shop, sha } = await propose();
    await heldCommand(folder("one"));
    await start("two", "worker");
    await replicas.find(({ ready }) => ready.role === "worker")?.end("SIGKILL");
    await heldCommand(folder("two"));
    const { targetUrl } = await statusBecomes(shop, sha, "signalbox/test", "pending");
    const path = new URL(targetUrl ?? "").pathname;
    for (const replica of replicas.filter(({ ready }) => ready.role === "web")) {
      const page = await until("the log is on the page", async () => {
        const text = await (await fetch(`${replica.url}${path}`)).text();
        return text.includes("it works") ? text : null;
      });
      expect(page).toContain("Attempt 2");
    }
    expect(web?.ready.database).toBe("postgres");
    await letGo(folder("two"));
    await statusBecomes(shop, sha, "signalbox", "success");
  });

  it("a worker that could not speak for a while finds its run with another one, and stops its own work", async () => {
    await start("web", "web");
    const frozen = await start("frozen", "worker");
    const { shop, sha } = await propose();
    await heldCommand(folder("frozen"));
    process.kill(frozen.pid, "SIGSTOP");
    await start("other", "worker");
    await heldCommand(folder("other"));
    process.kill(frozen.pid, "SIGCONT");
    await until("its work has stopped", async () => (await heldNow(folder("frozen"))) === 0);
    await letGo(folder("other"));
    await statusBecomes(shop, sha, "signalbox", "success");
    const rows = await postgres.run(url, "select attempt, state from run");
    expect(rows).toMatchObject([{ attempt: 2, state: "finished" }]);
  });

  it("a worker that is asked to stop gives its checks back at once, and a second one in its folder is refused meanwhile", async () => {
    await start("web", "web");
    const first = await start("shared", "worker");
    const { shop, sha } = await propose();
    await heldCommand(folder("shared"));
    await expect(start("shared", "worker")).rejects.toThrow("ended before it was ready");
    await first.end("SIGTERM");
    await start("next", "worker");
    await letGo(folder("next"));
    await statusBecomes(shop, sha, "signalbox", "success");
  });

  async function heldNow(name: string): Promise<number> {
    return heldCommand(name, 0).then(
      (found) => found.length,
      () => 0,
    );
  }
});
