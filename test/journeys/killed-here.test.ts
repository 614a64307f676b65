import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import { openDatabase } from "../../src/database/connection.ts";
import { openSecretKey } from "../../src/secrets/key.ts";
import { setSecret } from "../../src/secrets/store.ts";
import { startStandIn } from "../runners/stand-in.ts";
import { held, heldCommand, sandbox } from "../support/journey.ts";
import { noSshd, type Sshd, startSshd } from "../support/sshd.ts";
import { until } from "../support/until.ts";
import { type ServerProcess, startProcess } from "./server-process.ts";

let github: GitHubStandIn;
let folder: string;
let server: ServerProcess | null = null;
let sshd: Sshd | null = null;
const closers: (() => Promise<void>)[] = [];
beforeEach(async () => {
  github = await startGitHub();
  folder = await mkdtemp(join(tmpdir(), "signalbox-here-"));
  sshd = noSshd === null ? await startSshd() : null;
});
afterEach(async () => {
  await server?.end("SIGKILL");
  await sshd?.stop();
  for (const close of closers.splice(0)) await close();
  await github.close();
  await rm(folder, { recursive: true, force: true });
});

const lost = "The server died during this deployment: look what is live, then deploy again";

const quoted = (text: string) => JSON.stringify(text);
/** Tells each time that it has begun, and works until it is let go. */
const waiting = (place: string) => quoted(`echo once >> ${place}/times; until [ -e ${place}/go ]; do sleep 0.1; done`);
/** Builds that are the same would be one. */
const building = (name: string) => quoted(`: ${name}; ${held}`);

/** What each environment is doing when the server dies. */
function environmentsOf(sites: string, health: string): Readonly<Record<string, string>> {
  const ssh = (path: string, more = "") =>
    `target: ssh, with: { host: ${sshd?.name}, path: ${path}, key: KEY, known_hosts: ${quoted(sshd?.knownHosts ?? "")} ${more} }`;
  return {
    "command-builds": `target: command, build: ${building("command")}, with: { run: "true" }`,
    "command-runs": `target: command, with: { run: ${quoted(`echo once >> $SIGNALBOX_SITES/runs; ${held}`)} }`,
    "directory-builds": `target: directory, build: ${building("directory")}, with: { path: builds }`,
    "directory-restarts": `target: directory, with: { path: restarts, restart: { run: ${waiting(sites)} } }`,
    "directory-is-asked": `target: directory, with: { path: asked }, health: { url: ${quoted(health)}, within: 5m }`,
    ...(sshd === null
      ? {}
      : {
          "ssh-builds": `build: ${building("ssh")}, ${ssh("builds")}`,
          "ssh-restarts": ssh("restarts", `, restart: { run: ${waiting(sshd.home)} }`),
        }),
  };
}

const without = noSshd === null ? "" : ` (without ssh: ${noSshd})`;

describe("a server that is killed while targets of this machine build, deploy, restart and ask for health", () => {
  it(`loses what it deployed, says so, and repeats nothing by itself${without}`, async () => {
    const healthy = await startStandIn(() => ({}));
    closers.push(healthy.close);
    healthy.fault(/./, "silent", 100);
    const env = { SANDBOX: await sandbox, CONCURRENCY: "8", OUTBOUND_ALLOW: "127.0.0.1" };
    server = await startProcess(github, folder, env);
    const sites = join(folder, "sites/acme/shop");
    const environments = Object.entries(environmentsOf(sites, healthy.url));
    const file = environments.map(([name, rest]) => `  ${name}: { trigger: push, require_checks: none, ${rest} }`).join("\n");
    const shop = await github.repository({
      owner: "acme",
      name: "shop",
      files: { ".github/signalbox.yml": `environments:\n${file}\n` },
      permissions: { mira: "write" },
    });
    const database = await openDatabase({ url: null, folder });
    const place = { repository: shop.id, environment: null, name: "KEY" };
    await database.write((tx) => setSecret(tx, openSecretKey(null, folder), place, sshd?.key ?? "none"));
    await database.close();

    await shop.commit({ branch: "main", files: { a: "one" }, message: "Deploy me", author: "mira" });
    const commands = environments.filter(([, rest]) => rest.includes("touch started")).length;
    await until("all builds and commands work", async () => (await heldCommand(folder)).length === commands);
    const restarted = [sites, ...(sshd === null ? [] : [sshd.home])].map((at) => join(at, "times"));
    await until("all restart", () => restarted.every((path) => existsSync(path)));
    await until("it is asked whether it is healthy", () => healthy.asked.length > 0);

    await server.end("SIGKILL");
    server = await startProcess(github, folder, env);
    const last = () => shop.deployments().map(({ environment, statuses }) => [environment, statuses.at(-1)?.description]);
    await until("all are lost", () => last().every(([, description]) => description === lost));

    expect(last().toSorted()).toEqual(environments.map(([name]) => [name, lost]).toSorted());
    expect(new Set(shop.deployments().map(({ statuses }) => statuses.at(-1)?.state))).toEqual(new Set(["error"]));
    for (const path of [join(sites, "runs"), ...restarted]) expect(await readFile(path, "utf8")).toBe("once\n");
  }, 240_000);
});
