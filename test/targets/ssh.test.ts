import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFile,
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { ssh } from "../../src/targets/ssh/ssh.ts";
import type { DeployOrder } from "../../src/targets/target.ts";
import { keepsToTheContract, recordingIo } from "../contracts/deploy-target.ts";
import { processesNamed } from "../process/processes.ts";
import { noSshd, type Sshd, startSshd } from "../support/sshd.ts";
import { until } from "../support/until.ts";
import { orderIn } from "./order.ts";

const sha = "4be07d1f00000000000000000000000000000000";
const described = noSshd === null ? describe : describe.skip;

let sshd: Sshd;
const folders: string[] = [];
const servers: Sshd[] = [];
if (noSshd === null) {
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());
}
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

let worlds = 0;

async function newWorld() {
  const root = await realpath(await mkdtemp(join(tmpdir(), "signalbox-ssh-")));
  folders.push(root);
  worlds += 1;
  const path = `site-${worlds}/shop's`;
  let made = 0;
  const secrets: Record<string, string> = { STAGING_KEY: sshd.key };
  const order = async (files: Readonly<Record<string, string>>): Promise<DeployOrder> => {
    made += 1;
    const workspace = join(root, `run-${made}`, "workspace");
    await write(workspace, files);
    return orderIn(root, { sha, environment: "staging", workspace, secret: async (name) => secrets[name] ?? null });
  };
  await writeFile(join(root, "known_hosts"), sshd.knownHosts);
  const site = join(sshd.home, path);
  const options = { host: sshd.name, path, key: "STAGING_KEY" };
  const releases = async () => (await readdir(join(site, "releases"))).sort();
  return { root, path, site, order, options, releases, secrets };
}

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const paths = Object.entries(files).map(([name, text]) => ({ path: join(folder, name), text }));
  for (const inner of new Set([folder, ...paths.map(({ path }) => dirname(path))])) await mkdir(inner, { recursive: true });
  await Promise.all(paths.map(({ path, text }) => writeFile(path, text)));
}

described(`the target ssh${noSshd === null ? "" : ` (skipped: ${noSshd})`}`, () => {
  keepsToTheContract(async () => {
    const { order, site, options } = await newWorld();
    return {
      target: ssh,
      options,
      secret: sshd.key,
      order: (version) => order({ "index.html": version }),
      live: () => readFile(join(site, "current", "index.html"), "utf8").catch(() => null),
      refused: [
        { options: { ...options, host: "-oProxyCommand=true" }, says: /with\.host: must be a server such as/ },
        { options: { ...options, host: undefined }, says: /with\.host: is missing/ },
        { options: { ...options, path: "~/shop" }, says: /with\.path: must be a folder/ },
        { options: { ...options, key: "NONE" }, says: /^the secret NONE is not set; set it with: bin\/signalbox secret set/ },
        { options: { ...options, from: "dist" }, says: /from: "dist" does not exist in the built checkout/ },
      ],
    };
  });

  it("says what it did, and sends only what changed the second time", async () => {
    const { order, options, site } = await newWorld();
    await ssh.deploy(options, await order({ a: "1", "b/c": "2", "b/d": "3" }), recordingIo());

    const io = recordingIo();
    const deployed = await ssh.deploy(options, await order({ a: "1", "b/c": "changed", "e/f": "new" }), io);

    const current = await readlink(join(site, "current"));
    expect(deployed).toEqual({ kind: "live", release: { path: current } });
    expect(io.text()).toBe(
      [
        `${options.host}: Sent 2 files (10 bytes) to ${current}; 1 did not change since the last release.`,
        `${options.host}: current now points at ${current}.`,
        "",
      ].join("\n"),
    );
    expect((await readdir(join(site, "current"), { recursive: true })).sort()).toEqual(["a", "b", "b/c", "e", "e/f"]);
  });

  it("makes a release as the checkout is, whatever the names, and whatever it was before", async () => {
    const { order, options, site } = await newWorld();
    const strange = [
      "-rf",
      "$(touch hacked)",
      "it's",
      "a\nb",
      'a b/"c"',
      `${"long/".repeat(40)}${"n".repeat(200)}`,
      "ünïcode",
      "\\t",
      "*",
    ];
    const files = Object.fromEntries(strange.map((name) => [name, `in ${name}`]));
    const first = await order({ ...files, "to-folder": "a file", "to-file/x": "", "gone/deep/er": "", mode: "same" });
    await symlink("it's", join(first.workspace, "link"));
    await ssh.deploy(options, first, recordingIo());

    const second = await order({ ...files, "it's": "changed", "to-folder/in": "it", "to-file": "now", mode: "same" });
    await symlink("-rf", join(second.workspace, "link"));
    await mkdir(join(second.workspace, "empty"));
    await chmod(join(second.workspace, "mode"), 0o4711);
    await ssh.deploy(options, second, recordingIo());

    const current = join(site, "current");
    expect((await readdir(current, { recursive: true })).sort()).toEqual(
      (await readdir(second.workspace, { recursive: true })).sort(),
    );
    for (const name of [...strange, "to-folder/in", "to-file"])
      expect([name, await readFile(join(current, name), "utf8")]).toEqual([
        name,
        await readFile(join(second.workspace, name), "utf8"),
      ]);
    expect(await readlink(join(current, "link"))).toBe("-rf");
    const modes = await Promise.all(
      ["mode", "it's", "empty", "."].map(async (name) => (await stat(join(current, name))).mode & 0o7777),
    );
    expect(modes).toEqual([0o755, 0o644, 0o755, 0o755]);
    const old = join(site, "releases", (await readdir(join(site, "releases"))).sort()[0] ?? "");
    expect(await readFile(join(old, "it's"), "utf8")).toBe("in it's");
    expect(await readdir(join(site, ".."))).toEqual(["shop's"]);
  });

  it("gives files that did not change no room of their own, and takes over nothing that was changed on the server", async () => {
    const { order, options, site, releases } = await newWorld();
    const files = { same: "same", edited: "edited", deleted: "deleted", replaced: "replaced" };
    await ssh.deploy(options, await order(files), recordingIo());
    await ssh.deploy(options, await order(files), recordingIo());
    const inode = async (release: string, name: string) => (await stat(join(site, release, name))).ino;
    const [one = "", two = ""] = await releases();
    expect(await inode(`releases/${one}`, "same")).toBe(await inode(`releases/${two}`, "same"));

    const live = join(site, "current");
    await until("the clock of the file system has gone on", async () => {
      await appendFile(join(live, "edited"), "!");
      return (await stat(join(live, "edited"))).mtimeMs > (await stat(join(site, ".manifests", two))).mtimeMs;
    });
    await writeFile(join(live, "added"), "by hand");
    await ssh.deploy(options, await order(files), recordingIo());
    expect(await readFile(join(live, "edited"), "utf8")).toBe("edited");
    expect(await readdir(live)).not.toContain("added");
    expect(await inode("current", "same")).toBe(await inode(`releases/${two}`, "same"));

    await unlink(join(live, "deleted"));
    await ssh.deploy(options, await order(files), recordingIo());
    expect((await readdir(live)).sort()).toEqual(Object.keys(files).sort());

    for (const manifest of await readdir(join(site, ".manifests")))
      await writeFile(join(site, ".manifests", manifest), "nonsense");
    await ssh.deploy(options, await order(files), recordingIo());
    expect((await readdir(live)).sort()).toEqual(Object.keys(files).sort());
  });

  it("keeps the newest releases with their lists, and what others put there", async () => {
    const { order, options, site, releases } = await newWorld();
    await mkdir(join(site, "releases/by-hand"), { recursive: true });
    for (let version = 1; version <= 4; version += 1)
      await ssh.deploy({ ...options, keep: 2 }, await order({ version: String(version) }), recordingIo());

    const kept = (await releases()).filter((name) => name !== "by-hand");
    const versions = await Promise.all(kept.map((name) => readFile(join(site, "releases", name, "version"), "utf8")));
    expect(versions).toEqual(["3", "4"]);
    expect((await readdir(join(site, ".manifests"))).sort()).toEqual(kept);
    expect(await releases()).toContain("by-hand");
  });

  it("links what is shared into each release, and asks for a shared file that is missing", async () => {
    const { order, options, site } = await newWorld();
    const shared = { ...options, shared: ["uploads/", "config/.env"] };
    const asked = await order({ "uploads/default.png": "x", "config/app": "y", "index.html": "z" });

    expect(await ssh.deploy(shared, asked, recordingIo())).toEqual({
      kind: "refused",
      reason: `shared: "config/.env" is missing on ${options.host}; put the file into ${options.path}/shared, or write "config/.env/" for a folder`,
      live: "unchanged",
    });
    await write(join(site, "shared"), { "config/.env": "SECRET=1" });
    await ssh.deploy(shared, asked, recordingIo());
    await writeFile(join(site, "current/uploads/cat.png"), "meow");
    await ssh.deploy(shared, asked, recordingIo());

    expect(await readdir(join(site, "current/uploads"))).toEqual(["cat.png"]);
    expect(await readFile(join(site, "current/config/.env"), "utf8")).toBe("SECRET=1");
    expect(await readFile(join(site, "current/config/app"), "utf8")).toBe("y");
  });

  describe("restarts the application", () => {
    it("in the new release, shows what it says, and leaves what it started", async () => {
      const { order, options, site } = await newWorld();
      const run =
        'pwd; echo "$SIGNALBOX_ENVIRONMENT $SIGNALBOX_SHA $SIGNALBOX_REPOSITORY"; cat; umask; nohup sleep 4711 & echo $! >pid';
      const io = recordingIo();

      expect(await ssh.deploy({ ...options, restart: { run } }, await order({ a: "" }), io)).toMatchObject({ kind: "live" });

      const release = await realpath(join(site, "current"));
      expect(io.text()).toContain(`\n${release}\nstaging ${sha} acme/shop\n`);
      const pid = Number(await readFile(join(release, "pid"), "utf8"));
      process.kill(pid, "SIGKILL");
      expect(await ssh.deploy(options, await order({ a: "" }), recordingIo())).toMatchObject({ kind: "live" });
    });

    it("and puts the release before back when that fails", async () => {
      const { order, options, site, releases } = await newWorld();
      const restart = { run: 'echo "$(cat version)" >>../../restarts\n[ "$(cat version)" != bad ]' };
      await ssh.deploy({ ...options, restart }, await order({ version: "good" }), recordingIo());

      const deployed = await ssh.deploy({ ...options, restart }, await order({ version: "bad" }), recordingIo());

      expect(deployed).toEqual({
        kind: "refused",
        reason: `echo "$(cat version)" >>../../restarts … exited with 1 on ${options.host}; the release before is live again`,
        live: "unchanged",
      });
      expect(await readFile(join(site, "current/version"), "utf8")).toBe("good");
      expect(await readFile(join(site, "restarts"), "utf8")).toBe("good\nbad\ngood\n");
      expect(await releases()).toHaveLength(1);
    });

    it("and does not know what is live when that of a first release fails, or fails twice", async () => {
      const { order, options } = await newWorld();
      const failing = { ...options, restart: { run: "false" } };

      expect(await ssh.deploy(failing, await order({ a: "" }), recordingIo())).toMatchObject({
        kind: "refused",
        live: "unknown",
      });
      await ssh.deploy(options, await order({ a: "" }), recordingIo());
      expect(await ssh.deploy(failing, await order({ a: "" }), recordingIo())).toMatchObject({
        kind: "refused",
        live: "unknown",
      });
    });

    it("and ends it on the server when the deployment is cancelled, all that it started included", async () => {
      const { order, options, site } = await newWorld();
      await ssh.deploy(options, await order({ version: "1" }), recordingIo());
      const stopping = new AbortController();
      const mark = `4712${process.pid}`;
      const onWrite = async (output: string) => {
        if (output.includes("started")) stopping.abort("superseded");
      };
      const run = `if [ "$(cat version)" = 2 ]; then sh -c 'sleep ${mark}' & echo started; sleep ${mark}; fi`;

      const io = recordingIo({ stop: stopping.signal, onWrite });
      await expect(ssh.deploy({ ...options, restart: { run } }, await order({ version: "2" }), io)).rejects.toBe("superseded");

      expect(await processesNamed(`sleep ${mark}`)).toEqual([]);
      expect(await readFile(join(site, "current/version"), "utf8")).toBe("1");
    });
  });

  it("is never seen half done: a visitor finds one release, whole, during 50 deployments", async () => {
    const { order, options, site } = await newWorld();
    const files = (text: string) => ({ "a.txt": text, "b/c.txt": text, "z.txt": text });
    const orders = [await order(files("1".repeat(10_000))), await order(files("2".repeat(10_000)))] as const;
    await ssh.deploy(options, orders[0], recordingIo());
    let visits = 0;
    const mixtures: string[] = [];
    let isOver = false;
    const visitor = (async () => {
      while (!isOver) {
        const text = await readFile(join(site, "current", "a.txt"), "utf8");
        const release = await realpath(join(site, "current"));
        const texts = [text, ...(await Promise.all(["b/c.txt", "z.txt"].map((name) => readFile(join(release, name), "utf8"))))];
        visits += 1;
        for (const found of texts) if (!/^(1{10000}|2{10000})$/.test(found)) mixtures.push(found.slice(0, 10));
        if (texts[1] !== texts[2]) mixtures.push("two releases in one");
        // One of many visitors, who leave the machine to others in between.
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    try {
      for (let turn = 0; turn < 50; turn += 1) await ssh.deploy(options, orders[turn % 2 === 0 ? 1 : 0], recordingIo());
    } finally {
      isOver = true;
    }
    await visitor;

    expect(visits).toBeGreaterThan(50);
    expect(mixtures).toEqual([]);
  }, 240_000);

  it("deploys 5,000 files of which 5 changed by sending those 5", async () => {
    const { order, options, site } = await newWorld();
    const files = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, index) => [`${index % 50}/${index % 7}/${index}`, `text ${index}`]),
    );
    await ssh.deploy(options, await order(files), recordingIo());
    const changed = Object.fromEntries(
      Object.keys(files)
        .slice(100, 105)
        .map((name) => [name, "changed"]),
    );

    const io = recordingIo();
    await ssh.deploy(options, await order({ ...files, ...changed }), io);

    expect(io.text()).toContain("Sent 5 files (35 bytes)");
    expect(io.text()).toContain("4995 did not change");
    expect(
      (await readdir(join(site, "current"), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()),
    ).toHaveLength(5_000);
  }, 120_000);

  describe("when the connection is cut", () => {
    it("in the middle of the upload, leaves what is live and nothing half done, and says so in a way that may be tried again", async () => {
      const { order, options, site, releases } = await newWorld();
      await ssh.deploy(options, await order({ version: "1" }), recordingIo());
      sshd.cutAfter(300_000);

      const deploying = ssh.deploy(options, await order({ version: "2", big: "x".repeat(3_000_000) }), recordingIo());

      await expect(deploying).rejects.toMatchObject({
        retryable: true,
        message: expect.stringContaining(`connection to ${options.host} ended`),
      });
      await until("the server has cleaned up", async () => (await releases()).length === 1);
      expect(await readFile(join(site, "current/version"), "utf8")).toBe("1");
      expect(await ssh.deploy(options, await order({ version: "3" }), recordingIo())).toMatchObject({ kind: "live" });
    });

    it("right after the switch, has the release before put back", async () => {
      const { order, options, site, releases } = await newWorld();
      await ssh.deploy(options, await order({ version: "1" }), recordingIo());
      const onWrite = async (output: string) => {
        if (output.includes("now points at")) sshd.cut();
      };

      const deployed = await ssh.deploy(
        { ...options, restart: { run: "true" } },
        await order({ version: "2" }),
        recordingIo({ onWrite }),
      );

      expect(deployed).toEqual({
        kind: "refused",
        reason: expect.stringMatching(/^the connection to .* ended.*; the release before is live again$/),
        live: "unchanged",
      });
      expect(await readFile(join(site, "current/version"), "utf8")).toBe("1");
      expect(await releases()).toHaveLength(1);
    });

    it("right after the switch and for good, says that it does not know; the server puts back by itself", async () => {
      const own = await startSshd();
      servers.push(own);
      const { order, options, secrets } = await newWorld();
      secrets.STAGING_KEY = own.key;
      const there = { ...options, host: own.name, known_hosts: own.knownHosts };
      await ssh.deploy(there, await order({ version: "1" }), recordingIo());
      const onWrite = async (output: string) => {
        if (!output.includes("now points at")) return;
        own.open = false;
        own.cut();
      };

      const deployed = await ssh.deploy(
        { ...there, restart: { run: "sleep 60" } },
        await order({ version: "2" }),
        recordingIo({ onWrite }),
      );

      expect(deployed).toMatchObject({
        kind: "refused",
        reason: expect.stringContaining(`what is live on ${own.name} is not certain`),
        live: "unknown",
      });
      await until("it is back", async () => (await readFile(join(own.home, options.path, "current/version"), "utf8")) === "1");
    });
  });

  describe("on several servers", () => {
    async function newServers(count: number) {
      const world = await newWorld();
      const all = await Promise.all(Array.from({ length: count }, () => startSshd({ first: "umask 077" })));
      servers.push(...all);
      for (const server of all) await appendFile(server.home.replace(/home$/, "authorized_keys"), await publicKeyOf(sshd));
      const options = {
        ...world.options,
        host: undefined,
        hosts: all.map(({ name }) => name),
        known_hosts: all.map(({ knownHosts }) => knownHosts).join("\n"),
      };
      const live = () =>
        Promise.all(all.map(({ home }) => readFile(join(home, world.path, "current/version"), "utf8").catch(() => null)));
      return { ...world, all, options, live };
    }

    it("gives all of them the same release", async () => {
      const { order, options, live, all, path } = await newServers(3);

      expect(await ssh.deploy({ ...options, batch: 2 }, await order({ version: "1" }), recordingIo())).toMatchObject({
        kind: "live",
      });

      expect(await live()).toEqual(["1", "1", "1"]);
      const names = await Promise.all(all.map(({ home }) => readlink(join(home, path, "current"))));
      expect(new Set(names).size).toBe(1);
    });

    it("stops at the first that fails, and puts those before it back", async () => {
      const { order, options, live, all, path } = await newServers(3);
      const restart = { run: '[ ! -e ../../broken ] && echo "$(cat version)" >>../../restarts' };
      await ssh.deploy({ ...options, restart }, await order({ version: "1" }), recordingIo());
      await writeFile(join(all[1]?.home ?? "", path, "broken"), "");

      const deployed = await ssh.deploy({ ...options, restart }, await order({ version: "2" }), recordingIo());

      // The one that is broken cannot be restarted with what it had either.
      expect(deployed).toMatchObject({
        kind: "refused",
        reason: expect.stringContaining(`exited with 1 on ${all[1]?.name}; what is live on ${all[1]?.name}`),
      });
      expect(await live()).toEqual(["1", "1", "1"]);
      const restarts = await Promise.all(all.map(({ home }) => readFile(join(home, path, "restarts"), "utf8")));
      expect(restarts).toEqual(["1\n2\n1\n", "1\n", "1\n"]);
    });

    it("switches a batch only when the one before it is healthy, and puts all back at the first server that is not", async () => {
      const { order, options, live, all, path } = await newServers(4);
      const health = { run: 'echo "$(cat version) $SIGNALBOX_SHA" >>../../asked\n[ ! -e ../../ill ]', within: "2s" };
      const asked = () =>
        Promise.all(all.map(({ home }) => readFile(join(home, path, "asked"), "utf8").catch(() => "nobody asked\n")));
      const first = { ...options, batch: 2, health };
      // Well at the second time of asking.
      const second = { run: `${health.run} && [ "$(wc -l <../../asked)" -ge 2 ]`, within: "2m" };
      expect(await ssh.deploy({ ...first, health: second }, await order({ version: "1" }), recordingIo())).toMatchObject({
        kind: "live",
      });
      expect(await asked()).toEqual(Array(4).fill(`1 ${sha}\n1 ${sha}\n`));

      const ill = all[1];
      await writeFile(join(ill?.home ?? "", path, "ill"), "");
      const deployed = await ssh.deploy(first, await order({ version: "2" }), recordingIo());

      expect(deployed).toEqual({
        kind: "refused",
        reason: `echo "$(cat version) $SIGNALBOX_SHA" >>../../asked … exited with 1 on ${ill?.name}, which was not healthy within 2s; the release before is live again`,
        live: "unchanged",
      });
      expect(await live()).toEqual(["1", "1", "1", "1"]);
      const [well, again, ...untouched] = await asked();
      expect(well).toBe(`1 ${sha}\n1 ${sha}\n2 ${sha}\n`);
      expect(again).toContain(`2 ${sha}\n`);
      expect(untouched.join("")).not.toContain(`2 ${sha}`);
    });

    it("gives up a server whose health check hangs, and ends it there", async () => {
      const { order, options, live } = await newServers(2);
      const mark = `4713${process.pid}`;
      await ssh.deploy(options, await order({ version: "1" }), recordingIo());
      const health = { run: `sleep ${mark}`, within: "1s" };
      expect(await ssh.deploy({ ...options, health }, await order({ version: "2" }), recordingIo())).toMatchObject({
        kind: "refused",
        reason: expect.stringContaining(`sleep ${mark} did not end on ${options.hosts[0]}`),
        live: "unchanged",
      });
      expect(await live()).toEqual(["1", "1"]);
      expect(await processesNamed(`sleep ${mark}`)).toEqual([]);
    });

    it("touches none when one of them cannot be reached", async () => {
      const { order, options, live, all } = await newServers(2);
      await ssh.deploy(options, await order({ version: "1" }), recordingIo());
      for (const server of all.slice(1)) server.open = false;

      await expect(ssh.deploy(options, await order({ version: "2" }), recordingIo())).rejects.toMatchObject({
        retryable: true,
        message: expect.stringContaining(`${all[1]?.name} cannot be reached`),
      });
      expect(await live()).toEqual(["1", "1"]);
    });

    it("puts a release back on all of them, or, when one has it no more, on none", async () => {
      const { order, options, live, all, path } = await newServers(2);
      const one = await ssh.deploy(options, await order({ version: "1" }), recordingIo());
      await ssh.deploy(options, await order({ version: "2" }), recordingIo());
      if (one.kind !== "live" || ssh.restore === null) throw new Error("nothing to restore");

      expect(await ssh.restore(options, one.release, await order({}), recordingIo())).toEqual(one);
      expect(await live()).toEqual(["1", "1"]);

      const two = await ssh.deploy(options, await order({ version: "3" }), recordingIo());
      await rm(
        await realpath(
          join(all[1]?.home ?? "", path, "releases", (await readdir(join(all[1]?.home ?? "", path, "releases")))[0] ?? ""),
        ),
        { recursive: true },
      );
      expect(two).toMatchObject({ kind: "live" });
      expect(await ssh.restore(options, one.release, await order({}), recordingIo())).toMatchObject({
        kind: "refused",
        reason: expect.stringContaining(`is not on ${all[1]?.name} any more`),
      });
      expect(await live()).toEqual(["3", "3"]);
    });
  });

  describe("says clearly", () => {
    it("that a host key is not known, with what the server shows and what to do", async () => {
      const { root, order, options } = await newWorld();
      await writeFile(join(root, "known_hosts"), "");

      const deployed = await ssh.deploy(options, await order({ a: "" }), recordingIo());

      expect(deployed).toMatchObject({ kind: "refused", live: "unchanged" });
      const reason = deployed.kind === "refused" ? deployed.reason : "";
      expect(reason).toContain(
        `the host key of ${options.host} is not known; it shows ED25519 ${sshd.fingerprint}. On that server itself run: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. When it says the same, add to with.known_hosts,`,
      );
      expect(reason).toContain(`this line: ${sshd.knownHosts}`);
      expect(await ssh.deploy({ ...options, known_hosts: sshd.knownHosts }, await order({ a: "" }), recordingIo())).toMatchObject(
        { kind: "live" },
      );
    });

    it("that a host key is another than the known one", async () => {
      const { root, order, options } = await newWorld();
      const other = await startSshd();
      servers.push(other);
      await writeFile(join(root, "known_hosts"), `[127.0.0.1]:${sshd.port} ${other.knownHosts.split(" ").slice(1).join(" ")}`);

      expect(await ssh.deploy(options, await order({ a: "" }), recordingIo())).toMatchObject({
        kind: "refused",
        reason: expect.stringMatching(
          /is not the one that is known: somebody may stand in between.*remove its old line first; it shows ED25519/,
        ),
        live: "unchanged",
      });
    });

    it("that the key is not accepted, or is none", async () => {
      const { order, options, secrets } = await newWorld();
      const other = await startSshd();
      servers.push(other);
      secrets.STAGING_KEY = other.key;
      expect(await ssh.deploy(options, await order({ a: "" }), recordingIo())).toMatchObject({
        kind: "refused",
        reason: `${options.host} does not accept the key STAGING_KEY; add its public half to ~/.ssh/authorized_keys there`,
      });

      secrets.STAGING_KEY = "nonsense";
      expect(await ssh.deploy(options, await order({ a: "" }), recordingIo())).toMatchObject({
        kind: "refused",
        reason: "the secret STAGING_KEY is no private key that ssh can read without a passphrase",
      });

      secrets.STAGING_KEY = sshd.key.trim().replaceAll("\n", "\r\n");
      expect(await ssh.deploy(options, await order({ a: "" }), recordingIo())).toMatchObject({ kind: "live" });
    });

    it("that the server has no flock", async () => {
      const { order, options, secrets } = await newWorld();
      const bare = await startSshd({
        first: 'mkdir -p bin; for p in sh mkdir setsid tar head find; do ln -sf "$(command -v $p)" bin/; done; PATH=$PWD/bin',
      });
      servers.push(bare);
      secrets.STAGING_KEY = bare.key;

      await expect(
        ssh.deploy({ ...options, host: bare.name, known_hosts: bare.knownHosts }, await order({ a: "" }), recordingIo()),
      ).rejects.toMatchObject({ message: `${bare.name} has no flock`, fix: "Install it there; on Debian it is in util-linux" });
    });

    it("that something else is where current or releases should be, of which nothing is lost", async () => {
      const { order, options, site } = await newWorld();
      await write(site, { "current/precious": "text" });
      expect(await ssh.deploy(options, await order({ a: "" }), recordingIo())).toMatchObject({
        kind: "refused",
        reason: expect.stringContaining("holds something named current that is not a link"),
      });
      await rm(join(site, "current"), { recursive: true });
      await rm(join(site, "releases"), { recursive: true, force: true });
      await write(site, { releases: "text" });
      expect(await ssh.deploy(options, await order({ a: "" }), recordingIo())).toMatchObject({
        kind: "refused",
        reason: expect.stringContaining("holds something named releases that is not a folder"),
      });
    });

    const isRoot = process.getuid?.() === 0;
    (isRoot ? it : it.skip)(
      `that the disk is full, and leaves what is live${isRoot ? "" : " (skipped: only root can make a small disk)"}`,
      async () => {
        const { order, options, secrets } = await newWorld();
        const small = await startSshd({ diskSize: 3_000_000 });
        servers.push(small);
        secrets.STAGING_KEY = small.key;
        const there = { ...options, host: small.name, known_hosts: small.knownHosts };
        await ssh.deploy(there, await order({ version: "1" }), recordingIo());

        await expect(
          ssh.deploy(there, await order({ version: "2", big: "x".repeat(5_000_000) }), recordingIo()),
        ).rejects.toMatchObject({
          message: `the disk of ${small.name} is full`,
        });

        const releases = join(small.home, options.path, "releases");
        expect(await readFile(join(small.home, options.path, "current/version"), "utf8")).toBe("1");
        expect(await readdir(releases)).toHaveLength(1);
        expect(await ssh.deploy(there, await order({ version: "3" }), recordingIo())).toMatchObject({ kind: "live" });
      },
    );
  });

  it("keeps the key from everybody else's sight, and removes it", async () => {
    const { order, options, root } = await newWorld();
    const asked = await order({ a: "" });
    const seen: string[] = [];
    const onWrite = async () => {
      const folder = `${asked.workspace}.ssh`;
      for (const path of [folder, join(folder, "key")]) seen.push(((await lstat(path)).mode & 0o777).toString(8));
      for (const pid of await processesNamed(String(sshd.port)))
        for (const file of ["cmdline", "environ"])
          seen.push(...secretLines(await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")));
    };

    await ssh.deploy(options, asked, recordingIo({ onWrite }));

    expect([...new Set(seen)]).toEqual(["700", "600"]);
    expect(await readdir(dirname(asked.workspace))).toEqual(["workspace"]);
    expect(await processesNamed(root)).toEqual([]);
  });

  it("killed at any step, leaves a whole release and a server that takes the next one", async () => {
    const { order, options, site, releases } = await newWorld();
    const files = (version: string) =>
      Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`${index % 20}/${index}`, version]));
    await ssh.deploy(options, await order(files("0")), recordingIo());
    const script = join(import.meta.dirname, "deploy-and-be-killed.ts");
    const steps = ["deploying", "deploying", "deploying", "deploying", "Sent", "now points at", "restarting"];

    for (const [turn, step] of steps.entries()) {
      const asked = await order(files(String(turn + 1)));
      const arguments_ = {
        target: "ssh",
        orders: [asked],
        options: { ...options, restart: { run: 'echo restarting; [ "$(cat 0/0)" = 0 ] || sleep 10' } },
        secrets: { STAGING_KEY: sshd.key },
      };
      const child = spawn(process.execPath, [script, JSON.stringify(arguments_)], { stdio: ["ignore", "pipe", "inherit"] });
      children.push(child);
      let said = "";
      child.stdout?.on("data", (data) => {
        said += data;
      });
      await until(step, () => said.includes(step));
      if (step === "deploying") await new Promise((resolve) => setTimeout(resolve, turn * 150));
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;

      await until("the server has ended what it did", () => isFree(join(site, ".lock")));
      expect((await releases()).filter((name) => name.startsWith("."))).toEqual([]);
      const texts = await Promise.all(Object.keys(files("")).map((name) => readFile(join(site, "current", name), "utf8")));
      expect([step, [...new Set(texts)]]).toEqual([step, ["0"]]);
    }
    expect(await ssh.deploy(options, await order(files("9")), recordingIo())).toMatchObject({ kind: "live" });
    expect(await readFile(join(site, "current/0/0"), "utf8")).toBe("9");
  }, 120_000);
});

async function isFree(lock: string): Promise<boolean> {
  return promisify(execFile)("flock", ["-n", lock, "true"]).then(
    () => true,
    () => false,
  );
}

function secretLines(text: string): readonly string[] {
  return sshd.key.split("\n").filter((line) => line.length > 10 && text.includes(line));
}

async function publicKeyOf(server: Sshd): Promise<string> {
  return readFile(server.home.replace(/home$/, "user.pub"), "utf8");
}
