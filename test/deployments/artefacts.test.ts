import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type ArtefactKey, type Artefacts, openArtefacts } from "../../src/deployments/artefacts.ts";
import { openCaches } from "../../src/process/cache.ts";

const mebibyte = 2 ** 20;
const key: ArtefactKey = { repository: 1, sha: "a".repeat(40), command: "make", toolsPaths: [], env: { CI: "true" } };
const noStop = new AbortController().signal;
const nothing = async () => {};

let root: string;
let artefacts: Artefacts;
let checkouts = 0;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "signalbox-artefacts-")));
  const folder = join(root, "artefacts");
  artefacts = openArtefacts(folder, openCaches(folder, { each: 2 * mebibyte, total: 3 * mebibyte }));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A checkout with one file of its own and git's folder. */
async function checkOut(files: Readonly<Record<string, string | Buffer>> = {}): Promise<string> {
  checkouts += 1;
  const workspace = join(root, `run-${checkouts}`, "workspace");
  for (const [path, content] of Object.entries({ source: "int main", ".git/HEAD": `checkout ${checkouts}`, ...files })) {
    await mkdir(dirname(join(workspace, path)), { recursive: true });
    await writeFile(join(workspace, path), content);
  }
  return workspace;
}

const text = (...path: string[]) => readFile(join(...path), "utf8");

describe("what a build made", () => {
  it("takes the place of a fresh checkout of the same commit, but for git's folder, and nothing lies about", async () => {
    const built = await checkOut({ "dist/app": "built", ".git/hooks/post-checkout": "rm -rf /" });
    await rm(join(built, "source"));
    expect(await artefacts.keep(key, built, noStop)).toBe("kept");
    expect(await readdir(dirname(built))).toEqual(["workspace"]);
    await writeFile(join(built, "dist", "app"), "changed by the target");

    const fresh = await checkOut();
    const head = await text(fresh, ".git", "HEAD");
    expect(await artefacts.restore(key, fresh, noStop)).toBe(true);
    expect((await readdir(fresh)).toSorted()).toEqual([".git", "dist"]);
    expect(await text(fresh, "dist", "app")).toBe("built");
    expect(await readdir(join(fresh, ".git"))).toEqual(["HEAD"]);
    expect(await text(fresh, ".git", "HEAD")).toBe(head);
    expect(await readdir(dirname(fresh))).toEqual(["workspace"]);
  });

  it.each<[what: string, other: Partial<ArtefactKey>]>([
    ["commit", { sha: "b".repeat(40) }],
    ["command", { command: "make production" }],
    ["repository", { repository: 2 }],
    ["tool chain", { toolsPaths: ["/opt/node"] }],
    ["word of ours to it", { env: { CI: "true", SIGNALBOX_REF: "release" } }],
  ])("is nothing for another %s", async (_what, other) => {
    await artefacts.keep(key, await checkOut({ app: "built" }), noStop);
    const fresh = await checkOut();
    expect(await artefacts.restore({ ...key, ...other }, fresh, noStop)).toBe(false);
    expect((await readdir(fresh)).toSorted()).toEqual([".git", "source"]);
  });

  it("keeps its links as links, and what they point to is neither read nor written", async () => {
    const outside = join(root, "outside");
    await writeFile(outside, "the operator's");
    const built = await checkOut();
    await symlink(outside, join(built, "link"));
    await rm(join(built, ".git"), { recursive: true });
    await symlink(root, join(built, ".git"));
    expect(await artefacts.keep(key, built, noStop)).toBe("kept");
    const fresh = await checkOut();
    expect(await artefacts.restore(key, fresh, noStop)).toBe(true);
    expect(await readlink(join(fresh, "link"))).toBe(outside);
    expect((await lstat(join(fresh, ".git"))).isDirectory()).toBe(true);
    expect(await text(outside)).toBe("the operator's");
  });

  it("is not kept when it is too large, and what was not used for longest makes room", async () => {
    expect(await artefacts.keep(key, await checkOut({ big: Buffer.alloc(2.5 * mebibyte) }), noStop)).toBe("too large");
    expect(await artefacts.restore(key, await checkOut(), noStop)).toBe(false);
    const of = (name: string) => ({ ...key, command: name });
    for (const name of ["one", "two"]) await artefacts.keep(of(name), await checkOut({ big: Buffer.alloc(mebibyte) }), noStop);
    expect(await artefacts.restore(of("one"), await checkOut(), noStop)).toBe(true);
    await artefacts.keep(of("three"), await checkOut({ big: Buffer.alloc(1.5 * mebibyte) }), noStop);
    const kept = [];
    for (const name of ["one", "two", "three"]) kept.push(await artefacts.restore(of(name), await checkOut(), noStop));
    expect(kept).toEqual([true, false, true]);
  });

  it("is never kept half: a server that died while it was being kept leaves a build to be made again", async () => {
    await artefacts.keep(key, await checkOut({ app: "built" }), noStop);
    const folder = join(root, "artefacts");
    const [entry = ""] = await readdir(folder);
    // What is there after a death between the two renames, and what a copy that had only begun would be.
    await rm(join(folder, entry, "content"), { recursive: true });
    await mkdir(join(folder, entry, ".part-1234"));
    await writeFile(join(folder, entry, ".part-1234", "app"), "bu");
    const fresh = await checkOut();
    expect(await artefacts.restore(key, fresh, noStop)).toBe(false);
    expect(await artefacts.keep(key, await checkOut({ app: "built" }), noStop)).toBe("kept");
    expect((await readdir(join(folder, entry))).toSorted()).toEqual(["content", "size"]);
    expect(await artefacts.restore(key, fresh, noStop)).toBe(true);
    expect(await text(fresh, "app")).toBe("built");
    expect((await stat(join(fresh, "app"))).mode & 0o777).toBe(0o644);
  });

  it("is not kept when the deployment is cancelled meanwhile, and nothing of it stays", async () => {
    const built = await checkOut({ app: "built" });
    await expect(artefacts.keep(key, built, AbortSignal.abort("cancelled"))).rejects.toBe("cancelled");
    expect(await readdir(dirname(built))).toEqual(["workspace"]);
    expect(await artefacts.restore(key, await checkOut(), noStop)).toBe(false);
  });
});

describe("the same build, wanted twice at once", () => {
  it("is made by one, while the other waits and says so", async () => {
    const order: string[] = [];
    const first = Promise.withResolvers<void>();
    const one = artefacts.inTurn(key, noStop, nothing, async () => {
      order.push("one begins");
      await first.promise;
      order.push("one ends");
    });
    const says = async () => void order.push("two waits");
    const two = artefacts.inTurn(key, noStop, says, async () => void order.push("two begins"));
    const other = artefacts.inTurn({ ...key, command: "other" }, noStop, nothing, async () => void order.push("other"));
    await other;
    first.resolve();
    await Promise.all([one, two]);
    expect(order.toSorted()).toEqual(["one begins", "one ends", "other", "two begins", "two waits"].toSorted());
    expect(order.indexOf("two begins")).toBeGreaterThan(order.indexOf("one ends"));
  });

  it("lets one that is cancelled go, and those behind it wait on for the first", async () => {
    const first = Promise.withResolvers<void>();
    let isFirstOver = false;
    const one = artefacts.inTurn(key, noStop, nothing, () =>
      first.promise.then(() => {
        isFirstOver = true;
      }),
    );
    const cancelled = artefacts.inTurn(key, AbortSignal.abort("cancelled"), nothing, nothing);
    const three = artefacts.inTurn(key, noStop, nothing, async () => isFirstOver);
    await expect(cancelled).rejects.toBe("cancelled");
    first.resolve();
    expect(await three).toBe(true);
    await one;
  });

  it("is tried by the next one when the first fails", async () => {
    const failing = artefacts.inTurn(key, noStop, nothing, async () => {
      throw new Error("no network");
    });
    const next = artefacts.inTurn(key, noStop, nothing, async () => "built");
    await expect(failing).rejects.toThrow("no network");
    expect(await next).toBe("built");
  });
});
