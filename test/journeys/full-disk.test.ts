import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { deploymentBecomes, sandbox, statusBecomes } from "../support/journey.ts";
import { until } from "../support/until.ts";
import { type ServerProcess, startProcess } from "./server-process.ts";

const isRoot = process.getuid?.() === 0;

const file = `
checks: { test: { run: "true" } }
environments: { live: { trigger: merge, target: directory, with: { path: live, from: site } } }
`;

(isRoot ? describe : describe.skip)(`a disk that is full${isRoot ? "" : " (skipped: needs root, for a disk of its own)"}`, () => {
  let github: GitHubStandIn;
  let shop: Repository;
  let folder = "";
  /** Keeps the disk for as long as it lives: it is nobody else's, and gone with its last process. */
  let keeper: ChildProcess;
  let server: ServerProcess;
  const start = async () => {
    const inside = ["nsenter", `--target=${keeper.pid}`, "--mount"];
    server = await startProcess(github, folder, { SANDBOX: await sandbox }, true, inside);
  };

  beforeAll(async () => {
    github = await startGitHub();
    folder = await mkdtemp(join(tmpdir(), "signalbox-full-disk-"));
    const mount = `mount -t tmpfs -o size=1500m tmpfs ${folder} && echo mounted && exec sleep infinity`;
    keeper = spawn("unshare", ["--mount", "--propagation=private", "sh", "-c", mount], { stdio: ["ignore", "pipe", "inherit"] });
    if (keeper.stdout !== null) await once(keeper.stdout, "data");
    await start();
    const files = { ".github/signalbox.yml": file, "site/index.html": "first" };
    shop = await github.repository({ owner: "acme", name: "shop", files, permissions: { mira: "write" } });
  });
  afterAll(async () => {
    await server.end("SIGKILL");
    keeper.kill("SIGKILL");
    await github.close();
    await rm(folder, { recursive: true, force: true });
  });

  const onDisk = (...path: string[]) => join(`/proc/${keeper.pid}/root`, folder, ...path);
  const live = () => readFile(onDisk("sites/acme/shop/live/current/index.html"), "utf8");

  /** To the last byte. */
  async function fill(): Promise<void> {
    const ballast = await open(onDisk("ballast"), "w");
    for (let size = 1024 * 1024; size > 0; )
      await ballast.write(Buffer.alloc(size)).catch(() => {
        size = Math.floor(size / 2);
      });
    await ballast.close();
  }

  async function propose(name: string): Promise<{ readonly head: string; readonly number: number }> {
    const files = { "site/index.html": name };
    const head = await shop.commit({ branch: name, from: "main", files, message: name, author: "mira" });
    return { head, number: await shop.openPullRequest({ title: name, head: name, author: "mira" }) };
  }

  it("stops nothing for good: what it cannot keep is refused and heard of later, and what was live stays", async () => {
    const before = await propose("before");
    await statusBecomes(shop, before.head, "signalbox", "success");
    await shop.merge(before.number);
    await deploymentBecomes(shop, "live", "success");
    const ready = await propose("ready");
    await statusBecomes(shop, ready.head, "signalbox", "success");

    await fill();
    await shop.merge(ready.number);
    const during = [await propose("during-1"), await propose("during-2"), await propose("during-3")];
    await until("it says what it cannot keep", () =>
      /webhook not stored|cannot be moved into the database/.test(server.output()),
    );
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(await live()).toBe("before");

    await rm(onDisk("ballast"));
    const after = await propose("after");
    await statusBecomes(shop, after.head, "signalbox", "success");

    await server.end("SIGTERM");
    await start();
    for (const { head } of during) await statusBecomes(shop, head, "signalbox", "success");
    await until("what was merged is live", async () => (await live()) === "ready");
    await deploymentBecomes(shop, "live", "success");
  });
});
