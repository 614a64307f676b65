import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startGitHub } from "../../demo/github/github.ts";
import { openDatabase } from "../../src/database/connection.ts";
import { knownWith } from "../../src/known.ts";
import { sayMistake } from "../../src/repository-file/mistake.ts";
import { parseRepositoryFile } from "../../src/repository-file/parse.ts";
import { openSecretKey } from "../../src/secrets/key.ts";
import { setSecret } from "../../src/secrets/store.ts";
import { targets as ours } from "../../src/targets/index.ts";
import { withPlugIns } from "../../src/targets/plug-ins.ts";
import type { AnyTarget } from "../../src/targets/target.ts";
import { keepsToTheContract, recordingIo } from "../contracts/deploy-target.ts";
import { startProcess } from "../journeys/server-process.ts";
import { deploymentBecomes, environmentFor, sandbox } from "../support/journey.ts";
import { orderIn } from "./order.ts";
import { startWebdav } from "./webdav-server.ts";

const run = promisify(execFile);
const main = join(import.meta.dirname, "../../src/main.ts");
const example = join(import.meta.dirname, "../../examples/target-webdav");

let folder: string;
const closers: (() => Promise<void>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "signalbox-plug-ins-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "node_modules"));
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Puts a package into the folder, as npm does. */
async function install(name: string, source: string, more: object = { exports: "./index.js" }): Promise<void> {
  const at = join(folder, "node_modules", name);
  await mkdir(at, { recursive: true });
  await writeFile(join(at, "package.json"), JSON.stringify({ name, type: "module", ...more }));
  await writeFile(join(at, "index.js"), source);
}

/** A package that declares a target without any faults, but for what is said here. */
const target = (more = "") =>
  `export default ({ defineTarget, z }) => defineTarget({ name: "mine", options: z.strictObject({}), deploy: async () => ({}), ${more} });`;

async function loadExample(): Promise<AnyTarget> {
  // As `npm install FOLDER` does it.
  await symlink(example, join(folder, "node_modules", "signalbox-target-webdav"));
  const target = (await withPlugIns(ours, ["signalbox-target-webdav"], [folder])).get("webdav");
  if (target === undefined) throw new Error("The example was not loaded");
  return target;
}

async function openWorld() {
  const server = await startWebdav("deploy", "dav-passw0rd");
  closers.push(server.close);
  let made = 0;
  return {
    server,
    options: { url: server.url, user: "deploy", password: "DAV_PASSWORD", from: "." },
    live: () => server.read("current/site/version"),
    async order(version: string) {
      made += 1;
      const workspace = join(folder, `run-${made}`, "workspace");
      await mkdir(join(workspace, "site"), { recursive: true });
      await writeFile(join(workspace, "site", "version"), version);
      const run = `https://ci.acme.example/acme/shop/runs/${made}`;
      return orderIn(folder, { workspace, run, secret: async (name) => (name === "DAV_PASSWORD" ? "dav-passw0rd" : null) });
    },
  };
}

describe("the example of a plug-in", () => {
  keepsToTheContract(async () => {
    const { options, order, live } = await openWorld();
    return {
      target: await loadExample(),
      options,
      order,
      live,
      secret: "dav-passw0rd",
      refused: [
        { options: { ...options, url: "not an address" }, says: /^with\.url: / },
        { options: { ...options, from: "nothing" }, says: /^from: "nothing" does not exist/ },
        { options: { ...options, from: "../.." }, says: /leads out of the checkout/ },
        { options: { ...options, password: "NONE" }, says: /^the secret NONE is not set/ },
        { options: { ...options, user: "stranger" }, says: /does not accept the user and the password/ },
      ],
    };
  });

  it("follows no link out of the checkout", async () => {
    const { options, order, live } = await openWorld();
    const one = await order("one");
    await symlink("/etc/passwd", join(one.workspace, "passwd"));

    expect(await (await loadExample()).deploy(options, one, recordingIo())).toMatchObject({
      kind: "refused",
      reason: "passwd is a link; replace it by the file",
    });
    expect(await live()).toBeNull();
  });

  it("begins anew after a restart, and leaves one release", async () => {
    const { server, options, order, live } = await openWorld();
    const target = await loadExample();
    const one = await order("one");
    const stopping = new AbortController();
    const io = recordingIo({ stop: stopping.signal, onWrite: async () => stopping.abort("shutdown") });
    await expect(target.deploy(options, one, io)).rejects.toBe("shutdown");
    expect(io.kept()).not.toBeNull();

    expect(await target.resume?.(options, io.kept(), one, recordingIo())).toBeNull();
    expect(await target.deploy(options, one, recordingIo())).toMatchObject({ kind: "live" });
    expect(await live()).toBe("one");
    expect(new Set(server.asked.filter((line) => /^MKCOL \/releases\/[^/]+$/.test(line))).size).toBe(1);
  });
});

describe("plug-ins", () => {
  it("take part in checking a repository's file", async () => {
    await loadExample();
    const targets = await withPlugIns(ours, ["signalbox-target-webdav"], [folder]);
    const says = (environment: string) => {
      const parsed = parseRepositoryFile(`environments: { docs: { target: ${environment} } }`, knownWith({ targets }));
      return parsed.kind === "file" ? "right" : parsed.mistakes.map(sayMistake).join("\n");
    };

    expect(says("webdav, with: { url: https://dav.example.com, user: deploy, password: DAV }")).toBe("right");
    expect(says("webdav, with: { url: https://dav.example.com, usr: deploy, password: DAV }")).toContain(
      'environments.docs.with.usr: is not a key here; did you mean "user"?',
    );
    expect(says("wabdav")).toContain('did you mean "webdav"?');
  });

  it("are looked for in one folder after the other", async () => {
    await cp(example, join(folder, "node_modules", "signalbox-target-webdav"), { recursive: true });

    expect((await withPlugIns(ours, ["signalbox-target-webdav"], [tmpdir(), folder])).has("webdav")).toBe(true);
    expect([...(await withPlugIns(ours, [], [folder])).keys()]).toEqual([...ours.keys()]);
  });

  it.each([
    ["it throws", "throw new Error('out of order');", 'PLUGINS: "mine" cannot be loaded: out of order'],
    ["it is no JavaScript", "export default (", /^PLUGINS: "mine" cannot be loaded: /],
    ["it exports nothing", "export const a = 1;", /^PLUGINS: "mine" has no default export that is a function; write: export/],
    ["its function throws", "export default () => { throw new Error('no'); };", 'PLUGINS: "mine" fails when it is called: no'],
    [
      "its function returns something else",
      "export default () => ({ name: 'mine' });",
      /does not return what defineTarget gave it/,
    ],
    [
      "its name is no name",
      target('name: "My Target"'),
      /^PLUGINS: "mine" declares a target that cannot be used: name must have small/,
    ],
    ["its options are no schema", target("options: {}"), /options must be a schema, made with the z that is handed in$/],
    ["it cannot deploy", target("deploy: true"), /deploy must be a function$/],
    ["it has a key that nobody knows", target("restor: () => {}"), /restor/],
    [
      "its options take their time",
      target("options: z.string().refine(async () => true).or(z.object({}).refine(async () => true))"),
      /has options that cannot be checked at once/,
    ],
    [
      "it takes a name of ours",
      target('name: "ssh"'),
      'PLUGINS: "mine" is a target called "ssh", and there is one already; rename it',
    ],
  ])("keep the server from starting with one line when %s", async (_what, source, line) => {
    await install("mine", source);

    const error = await withPlugIns(ours, ["mine"], [folder]).catch((thrown: unknown) => thrown);
    const message = Error.isError(error) ? error.message : "";
    expect(message).not.toContain("\n");
    if (typeof line === "string") expect(message).toBe(line);
    else expect(message).toMatch(line);
  });

  it("say each in a line of its own what is missing, and which takes the name of another", async () => {
    await install("one", target());
    await install("two", target());

    await expect(withPlugIns(ours, ["none", "one", "two"], [folder])).rejects.toThrow(
      `PLUGINS: "none" is not installed; call npm install none in ${folder}\n  PLUGINS: "two" is a target called "mine", and there is one already; rename it`,
    );
  });
});

describe("a server with plug-ins", () => {
  it("deploys with the example", async () => {
    const { server: dav, live } = await openWorld();
    await symlink(example, join(folder, "node_modules", "signalbox-target-webdav"));
    const github = await startGitHub();
    closers.push(() => github.close());
    const env = { SANDBOX: await sandbox, OUTBOUND_ALLOW: "127.0.0.1", PLUGINS: "signalbox-target-webdav" };
    const server = await startProcess(github, folder, env);
    closers.push(() => server.end("SIGKILL"));
    const target = `target: webdav, with: { url: "${dav.url}", user: deploy, password: DAV_PASSWORD }`;
    const shop = await github.repository({
      owner: "acme",
      name: "shop",
      files: { ".github/signalbox.yml": `environments: { docs: { trigger: push, require_checks: none, ${target} } }` },
      permissions: { mira: "write" },
    });
    const database = await openDatabase({ url: null, folder });
    const place = { repository: shop.id, environment: null, name: "DAV_PASSWORD" };
    await database.write((tx) => setSecret(tx, openSecretKey(null, folder), place, "dav-passw0rd"));
    await database.close();

    await shop.commit({ branch: "main", files: { "site/version": "one" }, message: "Deploy me", author: "mira" });
    await deploymentBecomes(shop, "docs", "success");
    expect(await live()).toBe("one");
  }, 60_000);

  it("does not start when one of them is not as it should be, and says each in a line", async () => {
    await install("broken", "throw new Error('out of order');");
    await install("greedy", target('name: "ssh"'));
    await install("halfway", "", { exports: "./nothing.js" });
    const github = await startGitHub();
    closers.push(() => github.close());
    const env = { DATA_DIR: folder, SANDBOX: "none", PLUGINS: "broken,greedy,halfway,missing" };

    const ended = await run(process.execPath, [main], {
      cwd: folder,
      env: { ...environmentFor(github, env), PATH: process.env.PATH },
    }).catch((error: { readonly code: number; readonly stderr: string }) => error);

    expect(ended).toMatchObject({ code: 1 });
    expect(ended.stderr.split("\n").filter((line) => !line.startsWith("Warning: SANDBOX"))).toEqual([
      "Signalbox does not start:",
      '  PLUGINS: "broken" cannot be loaded: out of order',
      '  PLUGINS: "greedy" is a target called "ssh", and there is one already; rename it',
      expect.stringMatching(/^ {2}PLUGINS: "halfway" cannot be found: Cannot find module '.*nothing\.js'$/),
      expect.stringMatching(/^ {2}PLUGINS: "missing" is not installed; call npm install missing in /),
      "",
    ]);
    expect(await readdir(folder)).toEqual(["node_modules"]);
  });
});
