import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import { webhookPath } from "../../src/doors/http.ts";
import { processesNamed } from "../process/processes.ts";
import { deploymentBecomes, environmentFor, held, heldCommand, letGo, sandbox, statusBecomes } from "../support/journey.ts";
import { promised, until } from "../support/until.ts";

const main = join(import.meta.dirname, "..", "..", "src", "main.ts");

/** Shows in the command line of everything that the stories start, and of nothing else on this machine. */
const marker = `signalbox-test-${process.pid}`;
/** Leaves a process that is in no group or session of its parent, and works until it is let go. */
const work = `setsid sh -c 'while :; do sleep 0.1; done' ${marker} & ${held}`;

let github: GitHubStandIn;
let folder: string;
let server: ChildProcess | null = null;

beforeEach(async () => {
  github = await startGitHub();
  folder = await mkdtemp(join(tmpdir(), "signalbox-killed-"));
});

afterEach(async () => {
  await end("SIGKILL");
  for (const pid of await processesNamed(marker)) process.kill(pid, "SIGKILL");
  await github.close();
  await rm(folder, { recursive: true, force: true });
});

/** Starts the server as a process of its own, and resolves when it is ready. */
async function start(kind: string): Promise<void> {
  const env = {
    ...environmentFor(github, { DATA_DIR: folder, SANDBOX: kind, LOG_FORMAT: "json" }),
    PATH: process.env.PATH,
    HOME: folder,
  };
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "inherit"] });
  server = child;
  const ready = Promise.withResolvers<string>();
  child.once("exit", () => ready.reject(new Error("the server ended before it was ready")));
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.includes("Signalbox is ready")) ready.resolve(JSON.parse(line).url);
  });
  github.webhooksTo(`${await ready.promise}${webhookPath}`);
}

/** Sends a signal; resolves with the exit code when the server is gone. */
async function end(signal: NodeJS.Signals): Promise<number | null> {
  const child = server;
  server = null;
  if (child === null || child.exitCode !== null || child.signalCode !== null) return null;
  const exit = once(child, "exit");
  child.kill(signal);
  const [code] = await exit;
  return code;
}

/** A check of one repository and a deployment of another, which both work until they are let go. */
async function underWay() {
  const repository = (name: string, file: string) =>
    github.repository({ owner: "acme", name, files: { ".github/signalbox.yml": file }, permissions: { mira: "write" } });
  const library = await repository("library", `checks: { test: { run: "${work}" } }`);
  const target = `target: command, with: { run: "echo once >> $SIGNALBOX_SITES/times; ${work}" }`;
  const shop = await repository("shop", `environments: { staging: { trigger: push, require_checks: none, ${target} } }`);
  const head = await library.commit({ branch: "autumn", from: "main", files: { a: "" }, message: "Autumn", author: "mira" });
  await library.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
  await shop.commit({ branch: "main", files: { main: "" }, message: "Deploy me", author: "mira" });
  await deploymentBecomes(shop, "staging", "in_progress");
  await statusBecomes(library, head, "signalbox/test", "pending");
  await until("both work", async () => (await heldCommand(folder)).length === 2);
  return { shop, library, head };
}

const kinds = (await sandbox) === "bubblewrap" ? ["bubblewrap", "none"] : ["none"];

describe("a server that dies in the middle of a check and of a deployment", () => {
  it.each(kinds)(
    "runs the check again, ends the deployment as lost, tells GitHub the truth and leaves no process (SANDBOX=%s)",
    async (kind) => {
      await start(kind);
      const { shop, library, head } = await underWay();
      const before = new Set(await processesNamed(marker));
      expect(before.size).toBeGreaterThanOrEqual(2);

      await end("SIGKILL");
      await start(kind);
      const lost = await until(
        "the deployment is an error",
        () => shop.deployments().find(({ statuses }) => statuses.at(-1)?.state === "error"),
        promised,
      );
      expect(lost.statuses.at(-1)?.description).toBe(
        "The server died during this deployment: look what is live, then deploy again",
      );
      await heldCommand(folder);
      expect((await processesNamed(marker)).filter((pid) => before.has(pid))).toEqual([]);

      await letGo(folder);
      await statusBecomes(library, head, "signalbox/test", "success");
      await statusBecomes(library, head, "signalbox", "success");
      expect(shop.deployments()).toHaveLength(1);
      expect(await readFile(join(folder, "sites/acme/shop/times"), "utf8")).toBe("once\n");
      await until("no process is left", async () => (await processesNamed(marker)).length === 0);
    },
  );

  it("still has what it acknowledged", async () => {
    await start(await sandbox);
    const shop = await github.repository({
      owner: "acme",
      name: "shop",
      files: { ".github/signalbox.yml": `checks: { test: { run: "true" } }` },
      permissions: { mira: "write" },
    });
    await github.idle();
    github.fault({ path: /\/contents\//, answer: "hang" });
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { a: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await github.idle();
    expect(github.deliveries().at(-1)).toMatchObject({ event: "pull_request", statusCode: 202 });
    await until("it is being handled", () => github.requests.some(({ path }) => path.includes("/contents/")));
    await end("SIGKILL");
    await start(await sandbox);
    await statusBecomes(shop, sha, "signalbox", "success");
  });
});

describe("a server that is asked to stop", () => {
  it("puts checks back into the queue, lets deployments end, stops within 30 s, and runs the checks after the next start", async () => {
    await start(await sandbox);
    const { shop, library, head } = await underWay();
    const stopped = end("SIGTERM");
    await until("the check was put back", () =>
      library.statuses(head).find(({ description }) => description === "Queued again, attempt 2"),
    );
    await letGo(folder);
    expect(await stopped).toBe(0);
    await deploymentBecomes(shop, "staging", "success");
    expect(await processesNamed(marker)).toEqual([]);

    await start(await sandbox);
    await letGo(folder);
    await statusBecomes(library, head, "signalbox", "success");
    expect(shop.deployments()).toHaveLength(1);
  });
});
