import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type CacheKey, type Caches, openCaches } from "../../src/process/cache.ts";

const mebibyte = 2 ** 20;
const key = (path: string, check = "test", repository = 1): CacheKey => ({ repository, check, path });
const noStop = new AbortController().signal;

let root: string;
let caches: Caches;
let runs: number;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "signalbox-cache-")));
  caches = openCaches(join(root, "caches"), { each: 2 * mebibyte, total: 3 * mebibyte });
  runs = 0;
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A run's folder. */
async function newRun(): Promise<string> {
  runs += 1;
  const folder = join(root, `run-${runs}`);
  await mkdir(folder);
  return folder;
}

async function fill(folder: string, path: string, text: string | Buffer): Promise<void> {
  await mkdir(join(folder, path), { recursive: true });
  await writeFile(join(folder, path, "file"), text);
}

async function keep(of: CacheKey, text: string | Buffer): Promise<string> {
  const run = await newRun();
  await fill(run, of.path, text);
  return caches.keep(of, { root: run, path: of.path });
}

async function restore(of: CacheKey, run: string): Promise<string> {
  return caches.restore(of, { root: run, path: of.path }, noStop);
}

/** What a new run finds; null: nothing. */
async function seen(of: CacheKey): Promise<string | null> {
  const run = await newRun();
  await restore(of, run);
  return readFile(join(run, of.path, "file"), "utf8").catch(() => null);
}

describe("folders that are kept from run to run", () => {
  it("are empty at first, and then what the last run left", async () => {
    expect(await restore(key("a/b"), await newRun())).toBe("nothing kept");
    expect(await keep(key("a/b"), "one")).toBe("kept");
    expect(await seen(key("a/b"))).toBe("one");

    expect(await keep(key("a/b"), "two")).toBe("kept");

    expect(await seen(key("a/b"))).toBe("two");
  });

  it("belong to one check of one repository, and to one path", async () => {
    await keep(key("a"), "one");

    expect(await seen(key("a", "other"))).toBeNull();
    expect(await seen(key("a", "test", 2))).toBeNull();
    expect(await seen(key("b"))).toBeNull();
  });

  it("are a copy of the run's own: what it changes others do not see", async () => {
    await keep(key("a"), "one");
    const run = await newRun();
    await restore(key("a"), run);

    await writeFile(join(run, "a/file"), "poison");

    expect(await seen(key("a"))).toBe("one");
  });

  it("keep links as links, modes, and empty folders", async () => {
    const run = await newRun();
    await fill(run, "a", "one");
    await symlink("/etc/passwd", join(run, "a/link"));
    await mkdir(join(run, "a/empty"));
    await chmod(join(run, "a/file"), 0o751);
    await caches.keep(key("a"), { root: run, path: "a" });
    const next = await newRun();

    expect(await restore(key("a"), next)).toBe("restored");

    expect(await readdir(join(next, "a"))).toEqual(["empty", "file", "link"]);
    expect(await readlink(join(next, "a/link"))).toBe("/etc/passwd");
    expect((await lstat(join(next, "a/file"))).mode & 0o777).toBe(0o751);
  });

  it("are whole whatever other runs do at the same moment", async () => {
    await keep(key("a"), "0");
    const texts = Array.from({ length: 8 }, (_, index) => String(index));

    const found = await Promise.all(texts.flatMap((text) => [keep(key("a"), text).then(() => text), seen(key("a"))]));

    for (const text of found) expect(texts).toContain(text);
  });

  it("do not replace what the commit has at the place", async () => {
    await keep(key("a"), "one");
    const run = await newRun();
    await fill(run, "a", "committed");

    expect(await restore(key("a"), run)).toBe("occupied");

    expect(await readFile(join(run, "a/file"), "utf8")).toBe("committed");
  });

  it("are not put through a link of the commit's, and not taken through one of the run's", async () => {
    const outside = await newRun();
    await fill(outside, "b", "the server's own");
    await keep(key("a/b"), "one");
    const run = await newRun();
    await symlink(outside, join(run, "a"));

    expect(await restore(key("a/b"), run)).toBe("occupied");
    expect(await caches.keep(key("a/b"), { root: run, path: "a/b" })).toBe("missing");
    await symlink(join(outside, "b"), join(run, "c"));
    expect(await caches.keep(key("c"), { root: run, path: "c" })).toBe("missing");

    expect(await readFile(join(outside, "b/file"), "utf8")).toBe("the server's own");
    expect(await seen(key("a/b"))).toBe("one");
  });

  it.each(["../x", "a/../../x", "/x", "a//b", ".", ""])("refuse the path %j", async (path) => {
    const place = { root: await newRun(), path };

    await expect(caches.keep(key("a"), place)).rejects.toThrow("is no path below a folder");
  });

  it("stay as they were when there is no folder, or one that is too large", async () => {
    await keep(key("a"), "one");

    expect(await caches.keep(key("a"), { root: await newRun(), path: "a" })).toBe("missing");
    expect(await keep(key("a"), Buffer.alloc(3 * mebibyte, "x"))).toBe("too large");

    expect(await seen(key("a"))).toBe("one");
  });

  it("go when there are too many, those first that were not used for longest", async () => {
    const text = Buffer.alloc(mebibyte, "x");
    await keep(key("a"), text);
    await keep(key("b"), text);
    expect(await seen(key("a"))).not.toBeNull();

    await keep(key("c"), text);

    expect(await seen(key("b"))).toBeNull();
    expect(await seen(key("a"))).not.toBeNull();
    expect(await seen(key("c"))).not.toBeNull();
  });

  it("survive a restart, and what a killed server left half done goes", async () => {
    await keep(key("a"), "one");
    const [entry = ""] = await readdir(join(root, "caches"));
    await fill(join(root, "caches", entry), ".part-dead", "half");
    caches = openCaches(join(root, "caches"));
    expect(await seen(key("a"))).toBe("one");

    await keep(key("a"), "two");

    expect(await readdir(join(root, "caches", entry))).toEqual(["content", "size"]);
  });

  it("are not copied for a run that is stopped", async () => {
    await keep(key("a"), "one");
    const run = await newRun();

    await expect(caches.restore(key("a"), { root: run, path: "a" }, AbortSignal.abort("closed"))).rejects.toBe("closed");

    expect(await readdir(run)).toEqual([]);
  });
});
