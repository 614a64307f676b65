import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import { freePort } from "../support/free-port.ts";
import { withChromium } from "../support/in-chromium.ts";
import { heldCommand, letGo, sandbox, statusBecomes } from "../support/journey.ts";
import { type PostgresServer, postgresIsMissing, startPostgres } from "../support/postgres.ts";
import { until } from "../support/until.ts";
import { type ServerProcess, startProcess } from "./server-process.ts";

// Servers start as processes of their own, and a browser.

/** Prints on and on, as a build does, until it is let go. */
const file = `checks:
  test:
    run: |
      touch started; i=0
      until [ -e go ]; do i=$((i+1)); echo "line $i."; sleep 0.01; done
`;

/** Numbers and texts of all lines that ever came onto the page, in the order of coming. */
const watch = `globalThis.came = [];
const take = (line) => globalThis.came.push([Number(line.id.slice(1)), line.lastElementChild.textContent]);
const lines = document.querySelector('[data-part="window"]');
for (const line of lines.children) take(line);
new MutationObserver((changes) => { for (const { addedNodes } of changes) addedNodes.forEach(take); }).observe(lines, { childList: true });`;

withChromium("a server that is killed and started again under a page that somebody looks at", (open) => {
  let github: GitHubStandIn;
  let folder: string;
  const servers: ServerProcess[] = [];
  beforeEach(async () => {
    github = await startGitHub();
    folder = await mkdtemp(join(tmpdir(), "signalbox-restart-"));
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.end("SIGKILL");
    await github.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(name: string, env: Readonly<Record<string, string>>): Promise<ServerProcess> {
    const all = { SANDBOX: await sandbox, CONCURRENCY: "1", ...env };
    const server = await startProcess(github, join(folder, name), all, env.ROLE !== "worker");
    servers.push(server);
    return server;
  }

  async function propose() {
    const files = { ".github/signalbox.yml": file };
    const shop = await github.repository({ owner: "acme", name: "shop", files, permissions: { mira: "write" } });
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { a: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    return async () => {
      const { targetUrl } = await statusBecomes(shop, sha, "signalbox/test", "pending");
      return new URL(targetUrl ?? "").pathname;
    };
  }

  async function lookAt(server: ServerProcess, path: string): Promise<Page> {
    const page = await open();
    await page.goto(`${server.url}${path}`);
    await page.evaluate(watch);
    await shows(page, "live");
    await until("lines come", async () => (await came(page)).length > 100);
    return page;
  }

  const came = (page: Page) => page.evaluate<[number, string][]>("globalThis.came");
  const shows = (page: Page, state: string) => page.locator(`[data-part="pulse"][data-state="${state}"]`).waitFor();

  /** Lets the check end, and gives what its whole log is. */
  async function endOf(page: Page, worker: string, server: ServerProcess, path: string): Promise<readonly string[]> {
    await letGo(join(folder, worker));
    await shows(page, "complete");
    const text = await (await fetch(`${server.url}${path}/log.txt`)).text();
    return text.trimEnd().split("\n");
  }

  it("begins the check again, and the page shows the new attempt from its first line", async () => {
    const env = { PORT: String(await freePort()) };
    let server = await start("all", env);
    const path = await (await propose())();
    const page = await lookAt(server, path);
    await server.end("SIGKILL");
    await shows(page, "reconnecting");
    server = await start("all", env);
    await shows(page, "live");
    const again = await until("the new attempt begins", async () => {
      const first = (await came(page)).findLastIndex(([number]) => number === 1);
      return first > 100 ? first : null;
    });
    await until("its lines come", async () => (await came(page)).length > again + 100);
    const log = await endOf(page, "all", server, path);
    expect((await came(page)).slice(again)).toEqual(log.map((line, at) => [at + 1, line]));
    expect(await page.title()).toBe("Passed: test · Signalbox");
  });

  const missing = postgresIsMissing();
  (missing === null ? it : it.skip)(
    `loses and doubles no line where the check goes on elsewhere${missing === null ? "" : ` (skipped, because ${missing})`}`,
    async () => {
      const env = { DATABASE_URL: await (await postgres()).createDatabase(), PORT: String(await freePort()) };
      let server = await start("web", { ...env, ROLE: "web" });
      await start("worker", { ...env, PORT: "0", ROLE: "worker" });
      const path = await (await propose())();
      await heldCommand(join(folder, "worker"));
      const page = await lookAt(server, path);
      await server.end("SIGKILL");
      await shows(page, "reconnecting");
      const before = (await came(page)).length;
      server = await start("web", { ...env, ROLE: "web" });
      await shows(page, "live");
      await until("lines come again", async () => (await came(page)).length > before + 100);
      const log = await endOf(page, "worker", server, path);
      const all = await came(page);
      // A page that opens late begins with the newest lines.
      const [first = 0] = all[0] ?? [];
      expect(all).toEqual(log.map((line, at) => [at + 1, line]).slice(first - 1));
    },
  );

  let running: Promise<PostgresServer> | null = null;
  function postgres(): Promise<PostgresServer> {
    running ??= startPostgres();
    return running;
  }
  afterAll(async () => (await running)?.stop());
});
