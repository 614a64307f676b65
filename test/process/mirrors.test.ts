import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { GitError, type GitSource, type Mirrors, openMirrors } from "../../src/process/checkout.ts";
import { isDamage } from "../../src/process/repository-mirror.ts";
import { openWorkspaces } from "../../src/process/workspace.ts";
import { type HostedRepository, hostRepository, runGit } from "./git-host.ts";

let folder: string;
let data: string;
let host: HostedRepository;
let source: GitSource;
let mirrors: Mirrors;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "signalbox-mirrors-"));
  data = join(folder, "mirrors");
  host = await hostRepository(folder);
  source = { id: 1, cloneUrl: host.fileUrl, token: async () => null };
  mirrors = openMirrors(data, { protocols: ["file"] });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const always = () => true;

/** Empties every object file, as a disk fault does. */
async function damage(mirror: string): Promise<void> {
  const entries = await readdir(join(mirror, "objects"), { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const file = join(entry.parentPath, entry.name);
    await chmod(file, 0o600);
    await truncate(file, 0);
  }
}

describe("a damaged mirror", () => {
  it("is made anew beside the old one, which stays until nobody borrows from it", async () => {
    const first = await host.commit({ "a.txt": "1" });
    await mirrors.fetch(source, "early", [first]);
    const { objects } = await mirrors.checkOut(source, "early", first, join(folder, "early"));
    const proof = join(objects, "proof-that-it-is-the-same-folder");
    await writeFile(proof, "");
    const second = await host.commit({ "a.txt": "2" });
    await rm(join(data, "1", "HEAD"));
    await mirrors.fetch(source, "late", [second]);
    const late = await mirrors.checkOut(source, "late", second, join(folder, "late"));

    expect(late.objects).not.toBe(objects);
    expect(existsSync(proof)).toBe(true);
    expect(await runGit(join(folder, "late"), "status", "--porcelain")).toBe("");
    // What the early one holds is in the new one too.
    expect(await mirrors.treeOf(source, first)).toMatch(/^[0-9a-f]{40}$/);
    await mirrors.release(1, "late");
    expect(existsSync(proof)).toBe(true);
    await mirrors.release(1, "early");
    expect(existsSync(proof)).toBe(false);
    expect(await readdir(data)).toEqual(["1.2"]);

    // The next server goes on with the new one.
    mirrors = openMirrors(data, { protocols: ["file"] });
    await rm(host.folder, { recursive: true });
    await mirrors.fetch(source, "run", [second]);
    expect(await mirrors.treeOf(source, second)).toMatch(/^[0-9a-f]{40}$/);
    expect(await readdir(data)).toEqual(["1.2"]);
  });

  it.each([
    ["unable to rename temporary '*.pack' file to 'objects/pack/pack-1.pack'; fatal: index-pack failed", true],
    ["unable to rename temporary '*.pack' file to 'objects/pack/pack-1.pack': No space left on device", false],
    ["remote: fatal: unable to rename temporary '*.pack' file", false],
  ])("is what git says with %j: %s", (said, damaged) => {
    expect(isDamage(new GitError("broken", "fetch", said))).toBe(damaged);
  });

  it("stays as it is while the host does not answer", async () => {
    const first = await host.commit({ "a.txt": "1" });
    await mirrors.fetch(source, "early", [first]);
    await mirrors.checkOut(source, "early", first, join(folder, "early"));
    await damage(join(data, "1"));
    const second = await host.commit({ "a.txt": "2" });
    const gone = { ...source, cloneUrl: `${host.fileUrl}-gone` };
    await expect(mirrors.fetch(gone, "late", [second])).rejects.toMatchObject({ name: "GitError" });
    expect(await readdir(data)).toEqual(["1"]);
    await mirrors.fetch(source, "late", [first]);
    await mirrors.checkOut(source, "late", first, join(folder, "late"));
    expect((await readdir(data)).sort()).toEqual(["1", "1.2"]);
  });

  it("leaves nothing of a dead server's generations and attempts", async () => {
    const sha = await host.commit({ "a.txt": "1" });
    await mirrors.fetch(source, "run", [sha]);
    await damage(join(data, "1"));
    await mirrors.checkOut(source, "run", sha, join(folder, "into"));
    await mkdir(join(data, ".part-1-0123"));
    await mkdir(join(data, ".part-12-0123"));

    mirrors = openMirrors(data, { protocols: ["file"] });
    await mirrors.fetch(source, "run", [sha]);
    expect((await readdir(data)).sort()).toEqual([".part-12-0123", "1.2"]);
    expect(await runGit(join(data, "1.2"), "for-each-ref", "--format=%(refname)")).toBe(`refs/kept/${sha}`);
  });
});

describe("eight pull requests of one repository at once", () => {
  it("each work in their own commit, with a gc in between", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`d${index % 7}/${index}.txt`, `${index}\n`.repeat(50)]),
    );
    const base = await host.commit(files);
    const shas: string[] = [];
    for (let number = 0; number < 8; number++) {
      await host.reset(base);
      shas.push(await host.commit({ "mine.txt": String(number) }));
    }
    const workspaces = openWorkspaces(mirrors, join(folder, "workspaces"));
    const stop = new AbortController().signal;
    const collected = Promise.withResolvers<void>();
    let inside = 0;
    const works = shas.map((sha, number) =>
      workspaces.with({ source, sha, holder: `run-${number}`, stop }, async (workspace) => {
        inside += 1;
        if (inside === 4) {
          await mirrors.tidyAll(always);
          await runGit(join(data, "1"), "gc", "-q", "--prune=now");
          collected.resolve();
        }
        await collected.promise;
        expect(await readFile(join(workspace.folder, "mine.txt"), "utf8")).toBe(String(number));
        expect(await runGit(workspace.folder, "status", "--porcelain")).toBe("");
        expect(await runGit(workspace.folder, "rev-parse", "HEAD^{tree}")).toBe(await workspace.tree());
        await runGit(workspace.folder, "fsck", "--no-dangling");
      }),
    );
    await Promise.all(works);
    expect(await readdir(join(folder, "workspaces"))).toEqual([]);
  });
});

describe("what a fetch left half written", () => {
  it("is swept away by the next server, and by the next fetch that fails", async () => {
    const sha = await host.commit({ "a.txt": "1" });
    await mirrors.fetch(source, "run", [sha]);
    const leave = async () => {
      await mkdir(join(data, "1/objects/pack"), { recursive: true });
      await mkdir(join(data, "1/objects/ab"), { recursive: true });
      for (const name of ["pack/tmp_pack_x", "pack/.tmp-1-pack-y", "ab/tmp_obj_z"])
        await writeFile(join(data, "1/objects", name), "");
    };
    const left = async () => (await readdir(join(data, "1/objects"), { recursive: true })).filter((name) => name.includes("tmp"));
    await leave();
    mirrors = openMirrors(data, { protocols: ["file"] });
    await mirrors.fetch(source, "run", [sha]);
    expect(await left()).toEqual([]);

    await leave();
    await expect(mirrors.fetch(source, "run", ["0123456789".repeat(4)])).rejects.toMatchObject({ failure: "gone" });
    expect(await left()).toEqual([]);
  });
});

describe("tidying all", () => {
  it("packs what lies about when there is much of it", async () => {
    await mirrors.fetch(source, "run", [await host.commit({ "a.txt": "1" })]);
    const packing = "for i in $(seq 51); do echo $i | git hash-object -w --stdin | git pack-objects -q objects/pack/pack; done";
    await promisify(execFile)("/bin/sh", ["-c", packing], { cwd: join(data, "1") });
    const packs = async () => (await readdir(join(data, "1/objects/pack"))).filter((name) => name.endsWith(".pack"));
    expect(await packs()).toHaveLength(52);
    await mirrors.tidyAll(always);
    expect(await packs()).toHaveLength(1);
  });

  it("does nothing while there is something else to do", async () => {
    await mirrors.fetch(source, "run", [await host.commit({ "a.txt": "1" })]);
    await mirrors.release(1, "run");
    mirrors = openMirrors(data, { protocols: ["file"] }, 0);
    await mirrors.tidyAll(() => false);
    expect(await readdir(data)).toEqual(["1"]);
    await mirrors.tidyAll(always);
    expect(await readdir(data)).toEqual([]);
  });

  it("removes what was not used for the longest time when there is too much, never what is in use", async () => {
    mirrors = openMirrors(data, { protocols: ["file"] }, 2_500_000);
    const sha = await host.commit({ "a.bin": randomBytes(1_000_000).toString("base64") });
    for (const id of [1, 2, 3, 4]) await mirrors.fetch({ ...source, id }, "run", [sha]);
    for (const id of [2, 3, 4]) await mirrors.release(id, "run");
    // The first is the oldest, but somebody works with it.
    for (const [index, id] of [1, 3, 2, 4].entries()) await utimes(join(data, String(id)), 0, 1_000_000 + index);
    await mirrors.tidyAll(always);
    expect((await readdir(data)).sort()).toEqual(["1", "4"]);

    await mirrors.fetch({ ...source, id: 3 }, "run", [sha]);
    await mirrors.checkOut({ ...source, id: 3 }, "run", sha, join(folder, "into"));
  });
});
