import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "@jest/globals";
import { probeSandbox } from "../../src/process/sandbox.ts";
import { directory } from "../../src/targets/directory/directory.ts";
import type { DeployOrder } from "../../src/targets/target.ts";
import { keepsToTheContract, recordingIo } from "../contracts/deploy-target.ts";
import { until } from "../support/until.ts";
import { orderIn } from "./order.ts";

const sha = "4be07d1f00000000000000000000000000000000";
const run = promisify(execFile);
const probe = await probeSandbox();

const folders: string[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newWorld() {
  const root = await realpath(await mkdtemp(join(tmpdir(), "signalbox-directory-")));
  folders.push(root);
  const own = join(root, "data", "sites", "acme", "shop");
  const also = join(root, "srv");
  await mkdir(also);
  let made = 0;
  const order = async (files: Readonly<Record<string, string>>): Promise<DeployOrder> => {
    made += 1;
    const workspace = join(root, `run-${made}`, "workspace");
    await mkdir(workspace, { recursive: true });
    await write(workspace, files);
    return orderIn(root, { sha, workspace, allowedPaths: [own, also] });
  };
  const web = join(own, "web");
  const releases = async () => (await readdir(join(web, "releases"))).sort();
  return { root, own, also, order, web, releases };
}

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const paths = Object.entries(files).map(([name, text]) => ({ path: join(folder, name), text }));
  for (const inner of new Set(paths.map(({ path }) => dirname(path)))) await mkdir(inner, { recursive: true });
  await Promise.all(paths.map(({ path, text }) => writeFile(path, text)));
}

describe("the target directory", () => {
  keepsToTheContract(async () => {
    const { order, web } = await newWorld();
    return {
      target: directory,
      options: { path: "web" },
      order: (version) => order({ "index.html": version }),
      live: () => readFile(join(web, "current", "index.html"), "utf8").catch(() => null),
      refused: [
        { options: { path: "../../etc" }, says: /with\.path: leads out of the repository's own folder/ },
        { options: { path: "/etc" }, says: /"\/etc" leads to a folder that is not allowed; acme\/shop may have/ },
        { options: { path: "" }, says: /with\.path: is empty/ },
        { options: { path: "a\0b" }, says: /holds a NUL/ },
        { options: { path: "web", from: "dist" }, says: /from: "dist" does not exist in the built checkout/ },
        { options: { path: "web", from: ".." }, says: /with\.from: leads out of the checkout/ },
        { options: { path: "web", from: "/etc" }, says: /with\.from: leads out of the checkout/ },
        { options: { path: "web", from: "index.html" }, says: /is not a folder/ },
        { options: { path: "web", keep: 0 }, says: /with\.keep/ },
      ],
    };
  });

  it("takes a site away with all that it laid out, and nothing else", async () => {
    const { own, order, web } = await newWorld();
    const options = { path: "web", shared: ["uploads/"] };
    await directory.deploy(options, await order({ "index.html": "hello" }), recordingIo());
    const io = recordingIo();
    expect(await directory.remove?.(options, await order({}), io)).toEqual({ kind: "removed" });
    expect(io.text()).toBe("web is gone.\n");
    expect(await readdir(own)).toEqual([]);

    await directory.deploy(options, await order({ "index.html": "hello" }), recordingIo());
    await writeFile(join(web, "notes.txt"), "by hand");
    expect(await directory.remove?.(options, await order({}), recordingIo())).toEqual({ kind: "removed" });
    expect(await readdir(web)).toEqual(["notes.txt"]);

    await mkdir(join(web, "current"));
    expect(await directory.remove?.(options, await order({}), recordingIo())).toMatchObject({
      kind: "refused",
      reason: expect.stringMatching(/something named current that is not a link to a release/),
    });
    expect((await readdir(web)).toSorted()).toContain("current");
    expect(await directory.remove?.({ path: "../shop-2" }, await order({}), recordingIo())).toMatchObject({ kind: "refused" });
  });

  it("says what it did, and which release is live", async () => {
    const { order, web } = await newWorld();
    const io = recordingIo();

    const deployed = await directory.deploy({ path: "web" }, await order({ "index.html": "hello", "css/style.css": "x" }), io);

    const name = expect.stringMatching(/^releases\/\d{8}T\d{6}Z-4be07d1$/);
    expect(deployed).toEqual({ kind: "live", release: { path: name } });
    const current = await readlink(join(web, "current"));
    expect(current).toEqual(name);
    expect(io.text()).toBe(`Copied 2 files (6 bytes) to ${current}.\ncurrent now points at ${current}.\n`);
  });

  it("copies files, folders and links as they are, but for git's folder and strange modes", async () => {
    const { order, web } = await newWorld();
    const asked = await order({
      "bin/run": "#!",
      "bin/odd": "",
      "a/b/c": "deep",
      ".git/config": "no",
      "sub/.git": "gitdir",
      ".env.example": "",
    });
    await mkdir(join(asked.workspace, "empty"));
    await chmod(join(asked.workspace, "bin/run"), 0o4751);
    await chmod(join(asked.workspace, "bin/odd"), 0o600);
    await symlink("../a/b/c", join(asked.workspace, "bin/deep"));
    await symlink("nowhere", join(asked.workspace, "dangling"));

    await directory.deploy({ path: "web" }, asked, recordingIo());

    const current = join(web, "current");
    const found = (await readdir(current, { recursive: true })).sort();
    expect(found).toEqual(
      [
        ".env.example",
        "a",
        "a/b",
        "a/b/c",
        "bin",
        "bin/deep",
        "bin/odd",
        "bin/run",
        "dangling",
        "empty",
        "sub",
        "sub/.git",
      ].sort(),
    );
    const modes = await Promise.all(
      ["bin/run", "bin/odd", "bin", "."].map(async (name) => (await stat(join(current, name))).mode & 0o7777),
    );
    expect(modes).toEqual([0o755, 0o644, 0o755, 0o755]);
    expect([await readlink(join(current, "bin/deep")), await readlink(join(current, "dangling"))]).toEqual([
      "../a/b/c",
      "nowhere",
    ]);
  });

  it("deploys a folder of the checkout to an absolute path that the operator allows", async () => {
    const { order, also } = await newWorld();

    await directory.deploy(
      { path: join(also, "x/y"), from: "dist/site" },
      await order({ "dist/site/a": "A", b: "B" }),
      recordingIo(),
    );

    expect(await readdir(join(also, "x/y/current"))).toEqual(["a"]);
  });

  it("keeps the newest releases, and never removes the current one or what others put there", async () => {
    const { order, web, releases } = await newWorld();
    await mkdir(join(web, "releases", "by-hand"), { recursive: true });
    for (let version = 1; version <= 5; version += 1)
      await directory.deploy({ path: "web", keep: 3 }, await order({ version: String(version) }), recordingIo());

    const kept = (await releases()).filter((name) => name !== "by-hand");
    const versions = await Promise.all(kept.map((name) => readFile(join(web, "releases", name, "version"), "utf8")));
    expect(versions.sort()).toEqual(["3", "4", "5"]);
    expect(await releases()).toContain("by-hand");

    await directory.deploy({ path: "web", keep: 1 }, await order({ version: "6" }), recordingIo());
    expect(await releases()).toHaveLength(2);
    expect(await readFile(join(web, "current", "version"), "utf8")).toBe("6");
  });

  describe("keeps a file that did not change once", () => {
    const inode = async (path: string) => (await stat(path)).ino;

    it("in all the releases that have it, and says how many those were", async () => {
      const { order, web, releases } = await newWorld();
      await directory.deploy({ path: "web" }, await order({ "a/same": "text", changed: "1", mode: "x" }), recordingIo());
      const second = await order({ "a/same": "text", changed: "2", mode: "x", empty: "" });
      await chmod(join(second.workspace, "mode"), 0o755);

      const io = recordingIo();
      await directory.deploy({ path: "web" }, second, io);

      const [one = "", two = ""] = await releases();
      expect(await inode(join(web, "releases", one, "a/same"))).toBe(await inode(join(web, "releases", two, "a/same")));
      expect(await readFile(join(web, "releases", one, "changed"), "utf8")).toBe("1");
      expect(await readFile(join(web, "current/changed"), "utf8")).toBe("2");
      expect((await stat(join(web, "releases", one, "mode"))).mode & 0o777).toBe(0o644);
      expect((await stat(join(web, "current/mode"))).mode & 0o777).toBe(0o755);
      expect(io.text()).toContain(`Copied 3 files (2 bytes) to releases/${two}; 1 did not change since the last release.`);
    });

    it("but takes over nothing that was changed there since, of the same size and time too", async () => {
      const { order, web } = await newWorld();
      const files = { edited: "right", link: "text", pipe: "", folder: "text" };
      await directory.deploy({ path: "web" }, await order(files), recordingIo());
      const { atime, mtime } = await stat(join(web, "current/edited"));
      await writeFile(join(web, "current/edited"), "wrong");
      await utimes(join(web, "current/edited"), atime, mtime);
      for (const name of ["link", "pipe", "folder"]) await rm(join(web, "current", name));
      await symlink("edited", join(web, "current/link"));
      await run("mkfifo", [join(web, "current/pipe")]);
      await mkdir(join(web, "current/folder"));

      await directory.deploy({ path: "web" }, await order(files), recordingIo());

      const texts = await Promise.all(Object.keys(files).map((name) => readFile(join(web, "current", name), "utf8")));
      expect(texts).toEqual(Object.values(files));
      expect((await lstat(join(web, "current/link"))).isFile()).toBe(true);
    });

    it("also when it is one of 5,000 of which 5 changed", async () => {
      const { order, web } = await newWorld();
      const files = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`${index % 50}/${index}`, `text ${index}`]));
      await directory.deploy({ path: "web" }, await order(files), recordingIo());
      const changed = Object.fromEntries(
        Object.keys(files)
          .slice(100, 105)
          .map((name) => [name, "changed"]),
      );

      const io = recordingIo();
      await directory.deploy({ path: "web" }, await order({ ...files, ...changed }), io);

      expect(io.text()).toContain("Copied 5 files (35 bytes)");
      expect(io.text()).toContain("4995 did not change");
      const names = await readdir(join(web, "current"), { recursive: true, withFileTypes: true });
      expect(names.filter((entry) => entry.isFile())).toHaveLength(5_000);
    });
  });

  describe("shares between releases", () => {
    const options = { path: "web", shared: ["uploads/", "config/.env", "new/deep/"] };

    it("folders that it makes and files that are there, in the place of what the checkout has", async () => {
      const { order, web } = await newWorld();
      await write(join(web, "shared"), { "config/.env": "SECRET=1" });
      const asked = await order({ "uploads/default.png": "x", "config/.env": "example", "config/app": "y" });

      await directory.deploy(options, asked, recordingIo());
      await writeFile(join(web, "current/uploads/cat.png"), "meow");
      await directory.deploy(options, asked, recordingIo());

      expect(await readdir(join(web, "current/uploads"))).toEqual(["cat.png"]);
      expect(await readFile(join(web, "current/config/.env"), "utf8")).toBe("SECRET=1");
      expect(await readFile(join(web, "current/config/app"), "utf8")).toBe("y");
      expect(await readdir(join(web, "current/new/deep"))).toEqual([]);
    });

    it.each([
      [["missing"], /^shared: "missing" is missing; put the file into the folder shared, or write "missing\/" for a folder/],
      [["index.html/x/"], /^shared: "index.html\/x\/" lies in index.html, which is no folder of the release/],
      [["taken/"], /^shared: "taken\/" meets a file in the folder shared/],
      [["../x"], /^with\.shared\.0: must be a path in the release/],
      [["/etc"], /^with\.shared\.0: must be a path in the release/],
      [["a/./b"], /^with\.shared\.0: must be a path in the release/],
      [["a//b"], /^with\.shared\.0: must be a path in the release/],
      [["a/", "a/b"], /^with\.shared\.1: is "a" or lies in it/],
      [["a", "a"], /^with\.shared\.1: is "a" or lies in it/],
    ])("not %j, and says why", async (shared, says) => {
      const { order, web } = await newWorld();
      await write(join(web, "shared"), { taken: "" });

      expect(await directory.deploy({ path: "web", shared }, await order({ "index.html": "" }), recordingIo())).toEqual({
        kind: "refused",
        reason: expect.stringMatching(says),
        live: "unchanged",
      });
      expect(await readdir(web)).not.toContain("current");
    });
  });

  describe("restarts the application", () => {
    const inSandbox = async (files: Readonly<Record<string, string>>, world: Awaited<ReturnType<typeof newWorld>>) => ({
      ...(await world.order(files)),
      sandbox: probe.works ? probe.sandbox : ({ kind: "none" } as const),
    });

    it("in the new release, where it may write to what its repository may", async () => {
      const world = await newWorld();
      const restart = { run: 'pwd; cat version; touch ../../restarted; echo "$SIGNALBOX_ENVIRONMENT"' };
      const io = recordingIo();

      await directory.deploy({ path: "web", restart }, await inSandbox({ version: "1\n" }, world), io);

      expect(io.text()).toContain(`\n${await realpath(join(world.web, "current"))}\n1\nproduction\n`);
      expect(await readdir(world.web)).toContain("restarted");
    });

    (probe.works ? it : it.skip)(
      `in the sandbox: it reaches nothing else of the machine${probe.works ? "" : " (skipped: bubblewrap does not work here)"}`,
      async () => {
        const world = await newWorld();
        const restart = { run: `ls "${world.root}/secret" /run/systemd /var/run/docker.sock 2>/dev/null && exit 0; exit 7` };
        await writeFile(join(world.root, "secret"), "");

        expect(await directory.deploy({ path: "web", restart }, await inSandbox({ a: "" }, world), recordingIo())).toMatchObject({
          reason: expect.stringContaining("exited with 7"),
        });
      },
    );

    it("and puts the release before back when that fails", async () => {
      const world = await newWorld();
      const restart = { run: 'cat version >>../../restarts\n[ "$(cat version)" != bad ]' };
      await directory.deploy({ path: "web", restart }, await inSandbox({ version: "good" }, world), recordingIo());
      const [good = ""] = await world.releases();

      const deployed = await directory.deploy(
        { path: "web", restart },
        await inSandbox({ version: "bad" }, world),
        recordingIo(),
      );

      expect(deployed).toEqual({
        kind: "refused",
        reason: `cat version >>../../restarts … exited with 1; releases/${good} is live again`,
        live: "unchanged",
      });
      expect(await readFile(join(world.web, "current/version"), "utf8")).toBe("good");
      expect(await readFile(join(world.web, "restarts"), "utf8")).toBe("goodbadgood");
      expect(await world.releases()).toEqual([good]);
    });

    it("and does not know what is live when it fails for the first release, or twice", async () => {
      const world = await newWorld();
      const failing = { path: "web", restart: { run: "false" } };

      expect(await directory.deploy(failing, await inSandbox({ a: "" }, world), recordingIo())).toMatchObject({
        live: "unknown",
      });
      await directory.deploy({ path: "web" }, await inSandbox({ a: "" }, world), recordingIo());
      expect(await directory.deploy(failing, await inSandbox({ a: "" }, world), recordingIo())).toMatchObject({
        live: "unknown",
      });
    });

    it("and puts the release before back when it is cancelled meanwhile", async () => {
      const world = await newWorld();
      await directory.deploy({ path: "web" }, await inSandbox({ version: "1" }, world), recordingIo());
      const stopping = new AbortController();
      const onWrite = async (output: string) => {
        if (output.includes("restarting")) stopping.abort("superseded");
      };
      const restart = { run: 'if [ "$(cat version)" = 2 ]; then echo restarting; sleep 60; fi' };
      const io = recordingIo({ stop: stopping.signal, onWrite });

      await expect(directory.deploy({ path: "web", restart }, await inSandbox({ version: "2" }, world), io)).rejects.toBe(
        "superseded",
      );

      expect(await readFile(join(world.web, "current/version"), "utf8")).toBe("1");
      expect(await world.releases()).toHaveLength(1);
    });
  });

  it("is never seen half done: a visitor finds one release, whole, during 50 deployments", async () => {
    const { order, web } = await newWorld();
    const orders = await Promise.all(["1", "2"].map((text) => order({ "a.txt": text, "b/c.txt": text, "z.txt": text })));
    await directory.deploy({ path: "web" }, orders[0] as DeployOrder, recordingIo());
    let visits = 0;
    let mixtures = 0;
    let isOver = false;
    const visitor = (async () => {
      while (!isOver) {
        await readFile(join(web, "current", "a.txt"));
        const release = await realpath(join(web, "current"));
        const texts = await Promise.all(["a.txt", "b/c.txt", "z.txt"].map((name) => readFile(join(release, name), "utf8")));
        visits += 1;
        if (texts.some((text) => text === "" || text !== texts[0])) mixtures += 1;
      }
    })();
    try {
      for (let turn = 0; turn < 50; turn += 1)
        await directory.deploy({ path: "web" }, orders[turn % 2] as DeployOrder, recordingIo());
    } finally {
      isOver = true;
    }
    await visitor;

    expect(visits).toBeGreaterThan(50);
    expect(mixtures).toBe(0);
  });

  it("stops between two files when it is cancelled, and leaves nothing of the release", async () => {
    const { order, web, releases } = await newWorld();
    await directory.deploy({ path: "web" }, await order({ version: "1" }), recordingIo());
    const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`${index % 100}/${index}`, "text"]));
    const stopping = new AbortController();
    const io = recordingIo({ stop: stopping.signal });

    const deploying = directory.deploy({ path: "web" }, await order(many), io).catch((error: unknown) => error);
    await until("the copy has begun", async () => (await releases()).some((name) => name.startsWith(".part-")));
    stopping.abort("superseded");

    expect(await deploying).toBe("superseded");
    expect(io.text()).toBe("");
    expect(await releases()).toHaveLength(1);
    expect(await readFile(join(web, "current", "version"), "utf8")).toBe("1");
  });

  describe("refuses, and touches nothing, when", () => {
    async function refusal(order: DeployOrder, options: unknown = { path: "web" }): Promise<string> {
      const deployed = await directory.deploy(options, order, recordingIo());
      if (deployed.kind !== "refused") throw new Error("it was deployed");
      expect(deployed.live).toBe("unchanged");
      return deployed.reason;
    }

    it.each([
      ["/etc/passwd", "link"],
      ["../other", "link"],
      ["../../../../other", "deep/er/link"],
      ["deep/../../x", "link"],
    ])("a link leads out of the release, to %s", async (target, link) => {
      const { order, own } = await newWorld();
      const asked = await order({ "deep/er/file": "", "index.html": "" });
      await symlink(target, join(asked.workspace, link));

      expect(await refusal(asked)).toMatch(new RegExp(`^${link} is a link out of the release, to "${target}"`));
      await expect(readdir(own)).rejects.toThrow("ENOENT");
    });

    it("the folder to deploy is a link out of the checkout, or git's own", async () => {
      const { order, root } = await newWorld();
      const asked = await order({ ".git/config": "" });
      await symlink(root, join(asked.workspace, "dist"));
      await symlink(".git", join(asked.workspace, "hidden"));

      expect(await refusal(asked, { path: "web", from: "dist" })).toBe(
        'from: "dist" is a link out of the checkout; use a folder of the built checkout, such as dist',
      );
      expect(await refusal(asked, { path: "web", from: "hidden" })).toMatch(/is git's own folder/);
    });

    it("the checkout holds something that is no file, folder or link", async () => {
      const { order } = await newWorld();
      const asked = await order({ "index.html": "" });
      await run("mkfifo", [join(asked.workspace, "pipe")]);

      expect(await refusal(asked)).toMatch(/^pipe is no file, folder or link/);
    });

    it("a file's name is not UTF-8", async () => {
      const { order } = await newWorld();
      const asked = await order({ "index.html": "" });
      await writeFile(Buffer.concat([Buffer.from(`${asked.workspace}/caf`), Buffer.from([0xe9])]), "");

      expect(await refusal(asked)).toMatch(/is not UTF-8; rename it/);
    });

    it("a link on the way to the destination leads out of what is allowed", async () => {
      const { order, root, own } = await newWorld();
      await mkdir(own, { recursive: true });
      await mkdir(join(root, "outside"));
      await symlink(join(root, "outside"), join(own, "link"));
      await symlink(join(root, "missing"), join(own, "dangling"));
      const asked = await order({ "index.html": "" });

      expect(await refusal(asked, { path: "link" })).toMatch(/"link" leads to a folder that is not allowed; acme\/shop may have/);
      expect(await refusal(asked, { path: "link/web" })).toMatch(/"link\/web" leads to a folder that is not allowed/);
      expect(await refusal(asked, { path: "dangling/web" })).toMatch(/a link that leads nowhere/);
      expect(await readdir(join(root, "outside"))).toEqual([]);
      expect(await readdir(root)).not.toContain("missing");
    });

    it("something on the way is a file", async () => {
      const { order, own } = await newWorld();
      await write(own, { file: "" });

      expect(await refusal(await order({ "index.html": "" }), { path: "file/web" })).toMatch(/"file\/web" meets a file/);
    });

    it("current or releases is something else, of which nothing is lost", async () => {
      const { order, own, web } = await newWorld();
      await write(web, { "current/precious": "text" });
      await mkdir(join(own, "other"), { recursive: true });
      await symlink("/etc", join(own, "other", "releases"));
      const asked = await order({ "index.html": "" });

      expect(await refusal(asked)).toMatch(/something named current that is not a link/);
      expect(await refusal(asked, { path: "other" })).toMatch(/something named releases that is not a folder/);
      expect(await readFile(join(web, "current/precious"), "utf8")).toBe("text");
    });
  });

  it("follows a link on the way that stays below what is allowed", async () => {
    const { order, own, web } = await newWorld();
    await mkdir(own, { recursive: true });
    await mkdir(web);
    await symlink("web", join(own, "link"));

    await directory.deploy({ path: "link/blue" }, await order({ a: "" }), recordingIo());

    expect(await readdir(join(web, "blue", "current"))).toEqual(["a"]);
  });

  it("copies into the folder that it opened, even when a link takes its place meanwhile", async () => {
    const { order, root, web } = await newWorld();
    const outside = join(root, "outside");
    await mkdir(outside);
    const asked = await order({ version: "2" });
    await directory.deploy({ path: "web" }, await order({ version: "1" }), recordingIo());
    // The first word of a deployment falls between the copy and the switch.
    const swap = async (output: string) => {
      if (!output.startsWith("Copied")) return;
      await rename(web, `${web}-moved`);
      await symlink(outside, web);
    };

    await directory.deploy({ path: "web" }, asked, recordingIo({ onWrite: swap }));

    expect(await readdir(outside)).toEqual([]);
    expect(await readFile(join(`${web}-moved`, "current", "version"), "utf8")).toBe("2");
  });

  it("asks the operator for a folder of DEPLOY_PATHS that is not there, since its disk may be missing", async () => {
    const { order, also } = await newWorld();
    await rm(also, { recursive: true });

    await expect(directory.deploy({ path: join(also, "web") }, await order({ a: "" }), recordingIo())).rejects.toMatchObject({
      message: `${also} does not exist`,
      fix: expect.stringContaining("DEPLOY_PATHS"),
    });
    await expect(lstat(also)).rejects.toThrow("ENOENT");
  });

  describe("in another process", () => {
    const script = join(import.meta.dirname, "deploy-and-be-killed.ts");

    function deployInChild(orders: readonly DeployOrder[]): ChildProcess {
      const child = spawn(process.execPath, [script, JSON.stringify({ orders, options: { path: "web" } })], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      children.push(child);
      return child;
    }

    it("killed at any moment, leaves a whole release, and the next deployment cleans up", async () => {
      const { order, web, releases } = await newWorld();
      const files = (version: string) =>
        Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`${index % 20}/${index}`, version]));
      await directory.deploy({ path: "web" }, await order(files("0")), recordingIo());
      const orders = [await order(files("1")), await order(files("2"))];
      const isBeingMade = async () => (await releases()).some((name) => name.startsWith(".part-"));
      let leftovers = 0;

      for (let turn = 0; turn < 8; turn += 1) {
        const child = deployInChild([...orders, ...orders, ...orders, ...orders]);
        await once(child, "spawn");
        if (child.stdout === null) throw new Error("no output");
        await once(child.stdout, "data");
        const exit = once(child, "exit");
        // Half of them while a release is being made, the others wherever they are by then.
        if (turn % 2 === 0) await until("a release is being made", isBeingMade);
        else await new Promise((resolve) => setTimeout(resolve, turn * 13));
        child.kill("SIGKILL");
        await exit;

        const texts = await Promise.all(Object.keys(files("")).map((name) => readFile(join(web, "current", name), "utf8")));
        expect([...new Set(texts)]).toHaveLength(1);
        if (await isBeingMade()) leftovers += 1;
      }

      expect(leftovers).toBeGreaterThan(0);
      expect(await directory.deploy({ path: "web" }, orders[0] as DeployOrder, recordingIo())).toMatchObject({ kind: "live" });
      expect((await releases()).filter((name) => name.startsWith("."))).toEqual([]);
    });

    it("waits for a deployment of ours to the same folder", async () => {
      const { order, web } = await newWorld();
      const [ours, theirs] = [await order({ version: "ours" }), await order({ version: "theirs" })];
      const seen: string[] = [];
      const onWrite = async (output: string) => {
        if (!output.startsWith("Copied")) return;
        const child = deployInChild([theirs]);
        child.stdout?.on("data", (data) => seen.push(String(data)));
        await until("the other process waits for the lock", () => waitsForLock(join(web, ".lock")));
        seen.push("ours goes on\n");
      };

      await directory.deploy({ path: "web" }, ours, recordingIo({ onWrite }));
      await until("the other has deployed", () => seen.some((text) => text.includes("live")));

      expect(seen.join("")).toMatch(/^deploying\nours goes on\n\{"kind":"live"/);
      expect(await readFile(join(web, "current", "version"), "utf8")).toBe("theirs");
    });

    (probe.works ? it : it.skip)(
      `finds the disk full, says so, and leaves what is live${probe.works ? "" : " (skipped: bubblewrap makes the small disk, and does not work here)"}`,
      async () => {
        const { order, own } = await newWorld();
        await mkdir(own, { recursive: true });
        const orders = [
          await order({ version: "1" }),
          await order({ version: "2", big: "x".repeat(3_000_000) }),
          await order({ version: "3" }),
        ];
        const arguments_ = JSON.stringify({ orders, options: { path: "web" } });
        const then = `"$0" "$1" "$2" && ls -A ${own}/web/releases | wc -l && cat ${own}/web/current/version`;
        const disk = ["--bind", "/", "/", "--dev", "/dev", "--size", "2000000", "--tmpfs", own];

        const { stdout } = await run("bwrap", [...disk, "sh", "-c", then, process.execPath, script, arguments_]);

        expect(stdout.split("\n").slice(1)).toEqual([
          expect.stringContaining('"kind":"live"'),
          "the disk of web is full. Make room there, or set `keep` lower, and deploy again.",
          expect.stringContaining('"kind":"live"'),
          "2",
          "3",
        ]);
      },
    );
  });
});

/** The kernel's list of locks shows who waits with an arrow; the file is named by its inode (https://man7.org/linux/man-pages/man5/proc_locks.5.html). */
async function waitsForLock(path: string): Promise<boolean> {
  await using file = await open(path);
  const { ino } = await file.stat();
  const locks = await readFile("/proc/locks", "utf8");
  return locks.split("\n").some((line) => line.includes("->") && line.includes(`:${ino} `));
}
