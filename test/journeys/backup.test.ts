import { appendFile, cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { signalbox } from "../doors/command-line.ts";
import { sandbox, statusBecomes } from "../support/journey.ts";
import { type PostgresServer, postgresIsMissing, startPostgres } from "../support/postgres.ts";
import { type ServerProcess, startProcess } from "./server-process.ts";

let github: GitHubStandIn;
let folder: string;
let server: ServerProcess;
let shop: Repository;
beforeEach(async () => {
  github = await startGitHub();
  folder = await mkdtemp(join(tmpdir(), "signalbox-backup-"));
  server = await start("data");
  const file = 'checks: { test: { run: "echo all is well" } }';
  const files = { ".github/signalbox.yml": file };
  shop = await github.repository({ owner: "acme", name: "shop", files, permissions: { mira: "write" } });
});
afterEach(async () => {
  await server.end("SIGKILL");
  await github.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(data: string, env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  return startProcess(github, join(folder, data), { SANDBOX: await sandbox, ...env });
}

/** Opens a pull request, and gives its commit. */
async function propose(branch: string): Promise<string> {
  const sha = await shop.commit({ branch, from: "main", files: { [branch]: "" }, message: branch, author: "mira" });
  await shop.openPullRequest({ title: branch, head: branch, author: "mira" });
  return sha;
}

/** What the server that runs now has of a check's log. */
async function logOf(sha: string): Promise<string> {
  const { targetUrl } = await statusBecomes(shop, sha, "signalbox/test", "success");
  return (await fetch(`${server.url}${new URL(targetUrl ?? "").pathname}/log.txt`)).text();
}

/** What an operator types at the server's machine. */
async function command(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const { code, said } = await signalbox({ github, folder: join(folder, "data"), env }, ...words);
  if (code !== 0) throw new Error(said);
}

describe("a server whose disk is gone", () => {
  it("goes on from a backup that was made while it ran, and hears of what came after", async () => {
    const first = await propose("spring");
    await logOf(first);
    await command(["backup", join(folder, "copy.db")]);
    await server.end("SIGKILL");
    const second = await propose("autumn");
    await rm(join(folder, "data"), { recursive: true });

    await mkdir(join(folder, "new"));
    await cp(join(folder, "copy.db"), join(folder, "new/signalbox.db"));
    server = await start("new");
    expect(await logOf(first)).toContain("all is well");
    expect(await logOf(second)).toContain("all is well");
  });
});

describe("a journal whose end is torn", () => {
  it("keeps no server from starting, and from taking what comes", async () => {
    const first = await propose("spring");
    await logOf(first);
    await server.end("SIGKILL");
    const journal = join(folder, "data/receipts.journal");
    const written = await readFile(journal);
    await appendFile(journal, written.subarray(0, Math.ceil(written.length / 3)));

    server = await start("data");
    expect(await logOf(first)).toContain("all is well");
    expect(await logOf(await propose("autumn"))).toContain("all is well");
  });
});

const missing = postgresIsMissing();

(missing === null ? describe : describe.skip)(
  `a server that moves to PostgreSQL${missing === null ? "" : ` (skipped: ${missing})`}`,
  () => {
    let postgres: PostgresServer;
    beforeAll(async () => {
      postgres = await startPostgres();
    });
    afterAll(() => postgres.stop());

    it("has everything there, and goes on", async () => {
      const first = await propose("spring");
      await logOf(first);
      await server.end("SIGTERM");
      const DATABASE_URL = await postgres.createDatabase();
      await command(["move"], { DATABASE_URL });

      server = await start("data", { DATABASE_URL });
      expect(await logOf(first)).toContain("all is well");
      expect(await logOf(await propose("autumn"))).toContain("all is well");
    });
  },
);
