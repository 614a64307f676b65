import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitSource, type Mirrors, openMirrors } from "../../src/process/checkout.ts";
import { makeScratch, probeSandbox, sandboxed } from "../../src/process/sandbox.ts";
import { captureCommand } from "../../src/process/spawn.ts";
import { until } from "../support/until.ts";
import { type HostedRepository, hostRepository, runGit, serveGit } from "./git-host.ts";

const token = "ghs_0123456789abcdefghijklmnopqrstuvwxyz";
const unknown = "0123456789".repeat(4);

let folder: string;
let data: string;
let host: HostedRepository;
let source: GitSource;
let mirrors: Mirrors;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "signalbox-checkout-"));
  data = join(folder, "mirrors");
  host = await hostRepository(folder);
  source = { id: 1, cloneUrl: host.fileUrl, token: async () => null };
  mirrors = openMirrors(data, { protocols: ["file"] });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const mirror = () => join(data, "1");

describe("fetching", () => {
  it("brings the commits with their history, and asks for nothing when all are here", async () => {
    const first = await host.commit({ "a.txt": "1" });
    const second = await host.commit({ "b.txt": "2" });
    await mirrors.fetch(source, "run-1", [second]);
    await rm(host.folder, { recursive: true });

    await mirrors.fetch(source, "run-2", [first, second]);
    expect(await mirrors.treeOf(source, first)).toMatch(/^[0-9a-f]{40}$/);
    const refs = (await runGit(mirror(), "for-each-ref", "--format=%(refname)")).split("\n");
    expect(refs).toEqual([first, second].sort().map((sha) => `refs/kept/${sha}`));
  });

  it("is safe many times at once", async () => {
    const shas = [await host.commit({ "a.txt": "1" }), await host.commit({ "a.txt": "2" })];
    await Promise.all(Array.from({ length: 8 }, (_, index) => mirrors.fetch(source, `run-${index}`, shas)));
    expect((await runGit(mirror(), "for-each-ref")).split("\n")).toHaveLength(2);
  });

  it("says that a commit is gone", async () => {
    await host.commit({ "a.txt": "1" });
    await expect(mirrors.fetch(source, "run", [unknown])).rejects.toMatchObject({
      name: "GitError",
      failure: "gone",
      message: expect.stringContaining(unknown),
    });
    expect(await readdir(data)).toEqual([]);
  });

  it("stops when it is told to, and does nothing when it was told before", async () => {
    const sha = await host.commit({ "a.txt": "1" });
    await expect(mirrors.fetch(source, "run", [sha], AbortSignal.abort(new Error("superseded")))).rejects.toThrow("superseded");
    expect(existsSync(mirror())).toBe(false);
  });

  it.each(["ABC", "HEAD", "--upload-pack=touch proof", "a".repeat(41), `${"a".repeat(40)}\n`])(
    "refuses %j as a commit before git sees it",
    async (sha) => {
      await expect(mirrors.fetch(source, "run", [sha])).rejects.toThrow("is not a full SHA");
      await host.commit({});
      await mirrors.fetch(source, "run", [await runGit(host.folder, "rev-parse", "main")]);
      await expect(mirrors.treeOf(source, sha)).rejects.toThrow("is not a full SHA");
      await expect(mirrors.isAncestor(source, unknown, sha)).rejects.toThrow("is not a full SHA");
      await expect(mirrors.changedFiles(source, sha, unknown, "from")).rejects.toThrow("is not a full SHA");
      await expect(mirrors.checkOut(source, "run", sha, join(folder, "into"))).rejects.toThrow("is not a full SHA");
    },
  );

  it.each(["../x", "a/b", "", "a.lock", "-"])("takes %j as a holder only if git can name a ref so", async (holder) => {
    const sha = await host.commit({});
    const fetching = mirrors.fetch(source, holder, [sha]);
    if (holder === "-") await fetching;
    else await expect(fetching).rejects.toThrow("cannot hold commits");
  });

  it.each([
    "ext::sh -c touch% proof",
    "file:///etc",
    "https://user:password@example.com/a.git",
    "ssh://example.com/a",
    "not an address",
  ])("refuses the clone address %s", async (cloneUrl) => {
    const fetching = openMirrors(data).fetch({ ...source, cloneUrl }, "run", [unknown]);
    await expect(fetching).rejects.toMatchObject({ failure: "refused", message: expect.not.stringContaining("password@") });
  });

  it("keeps what it has for its own user alone", async () => {
    await mirrors.fetch(source, "run", [await host.commit({})]);
    for (const path of [data, mirror()]) expect((await stat(path)).mode & 0o777).toBe(0o700);
  });
});

describe("fetching from a host that asks for a token", () => {
  let server: Awaited<ReturnType<typeof serveGit>>;
  beforeEach(async () => {
    server = await serveGit(folder, token);
    mirrors = openMirrors(data);
    source = { id: 1, cloneUrl: `${server.origin}/hosted.git`, token: async () => token };
  });
  afterEach(async () => void server.close());

  it("shows the token to that host and writes it nowhere", async () => {
    const sha = await host.commit({ "a.txt": "1" });
    await mirrors.fetch(source, "run", [sha]);
    await mirrors.checkOut(source, "run", sha, join(folder, "into"));

    expect(server.seen.length).toBeGreaterThan(0);
    expect(server.seen.every(({ answer }) => answer === 200)).toBe(true);
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const texts = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), "latin1")));
    expect(texts.filter((text) => text.includes(token) || text.includes(btoa(`x-access-token:${token}`)))).toEqual([]);
  });

  it("does not knock when nothing is missing", async () => {
    const parent = await host.commit({ "a.txt": "1" });
    const sha = await host.commit({ "a.txt": "2" });
    await mirrors.fetch(source, "run-1", [sha]);
    const before = server.seen.length;
    await mirrors.fetch(source, "run-2", [sha]);
    await mirrors.fetch(source, "run-3", [parent]);
    expect(server.seen.length).toBe(before);
  });

  it("needs neither a token nor a host for what came with a later commit", async () => {
    const parent = await host.commit({ "a.txt": "1" });
    await mirrors.fetch(source, "run-1", [await host.commit({ "a.txt": "2" })]);
    const token = () => Promise.reject(new Error("GitHub is down"));
    await expect(mirrors.fetch({ ...source, token }, "run-2", [unknown])).rejects.toThrow("GitHub is down");
    await mirrors.fetch({ ...source, token }, "run-2", [parent]);
    expect(await mirrors.treeOf(source, parent)).toMatch(/^[0-9a-f]{40}$/);
  });

  it("asks for a new token each time, and tells a refused one without showing it", async () => {
    const sha = await host.commit({ "a.txt": "1" });
    const wrong = "ghs_wrong0123456789abcdefghijklmnopqrstu";
    const error = await mirrors.fetch({ ...source, token: async () => wrong }, "run", [sha]).catch((error) => error);
    expect(error).toMatchObject({ name: "GitError", failure: "retryable" });
    for (const secret of [wrong, btoa(`x-access-token:${wrong}`)])
      expect(`${error.message}${error.said}${error.stack}`).not.toContain(secret);

    await mirrors.fetch(source, "run", [sha]);
    expect(await mirrors.treeOf(source, sha)).toMatch(/^[0-9a-f]{40}$/);
  });

  it.each([
    [500, "retryable"],
    [503, "retryable"],
    [429, "retryable"],
    [404, "refused"],
    [403, "refused"],
  ])("takes %i as %s", async (status, failure) => {
    server.fault.status = status;
    const error = await mirrors.fetch(source, "run", [await host.commit({})]).catch((error) => error);
    expect(error).toMatchObject({
      name: "GitError",
      failure,
      message: expect.stringContaining("no, not with ***"),
    });
    expect(error.said).not.toContain(btoa(`x-access-token:${token}`));
  });

  it("takes a host that does not answer, or has no such name, as retryable", async () => {
    const sha = await host.commit({});
    await expect(mirrors.fetch({ ...source, cloneUrl: "http://127.0.0.1:1/a.git" }, "run", [sha])).rejects.toMatchObject({
      failure: "retryable",
    });
    await expect(mirrors.fetch({ ...source, cloneUrl: "http://host.invalid/a.git" }, "run", [sha])).rejects.toMatchObject({
      failure: "retryable",
    });
  });

  it("says that a commit is gone", async () => {
    await host.commit({});
    await expect(mirrors.fetch(source, "run", [unknown])).rejects.toMatchObject({ failure: "gone" });
  });

  it("finds a commit that was pushed away and is no branch's any more", async () => {
    const first = await host.commit({ "a.txt": "1" });
    const second = await host.commit({ "a.txt": "2" });
    await host.reset(first);
    await mirrors.fetch(source, "run", [second]);
    expect(await mirrors.isAncestor(source, first, second)).toBe(true);
  });
});

describe("what is held", () => {
  it("stays when the host has lost it and garbage is collected", async () => {
    const first = await host.commit({ "a.txt": "1" });
    const second = await host.commit({ "a.txt": "2" });
    await mirrors.fetch(source, "run", [second]);
    await host.reset(first);
    await runGit(host.folder, "reflog", "expire", "--expire=now", "--all");
    await runGit(host.folder, "gc", "-q", "--prune=now");
    await runGit(mirror(), "gc", "-q", "--prune=now");

    await mirrors.checkOut(source, "run", second, join(folder, "into"));
    expect(await readFile(join(folder, "into", "a.txt"), "utf8")).toBe("2");
    const third = await host.commit({ "a.txt": "3" });
    await mirrors.fetch(source, "another", [second, third]);
    await expect(mirrors.fetch({ ...source, id: 2 }, "run", [second])).rejects.toMatchObject({ failure: "gone" });
  });

  it("is let go, but for the newest, from which the next fetch goes on", async () => {
    const shas = [await host.commit({ "a.txt": "1" })];
    for (let count = 0; count < 64; count++)
      shas.push(await runGit(host.folder, "commit-tree", "-m", String(count), `${shas[0]}^{tree}`));
    await mirrors.fetch(source, "run-1", shas);
    await mirrors.fetch(source, "run-2", shas.slice(0, 1));
    await mirrors.release(1, "run-1");
    await mirrors.release(1, "run-1");
    const refs = (await runGit(mirror(), "for-each-ref", "--format=%(refname)")).split("\n");
    expect(refs).toHaveLength(1 + 32);
    expect(refs).toContain(`refs/kept/${shas[0]}`);
    expect(refs).toContain(`refs/kept/${shas.at(-1)}`);
  });

  it("is nothing in a repository that was never fetched", async () => {
    await mirrors.release(7, "run");
    await mirrors.tidyAll(() => true);
    expect(existsSync(join(data, "7"))).toBe(false);
  });
});

/** Longer than what is learned at once. */
async function longHistory(): Promise<{ readonly root: string; readonly newest: string }> {
  const root = await host.commit({});
  let newest = root;
  for (let count = 0; count < 120; count++)
    newest = await runGit(host.folder, "commit-tree", "-m", String(count), "-p", newest, `${root}^{tree}`);
  return { root, newest };
}

describe("what the mirror tells", () => {
  it("trees, ancestors and changed files", async () => {
    const base = await host.commit({ "kept.txt": "1", "a b.txt": "1" });
    const feature = await host.commit({ 'ünï\n"c.txt': "1", "a b.txt": "2" });
    await host.reset(base);
    const main = await host.commit({ "d/main.txt": "1" });
    await mirrors.fetch(source, "run", [feature, main]);

    expect(await mirrors.treeOf(source, base)).toBe(await runGit(host.folder, "rev-parse", `${base}^{tree}`));
    expect(await mirrors.isAncestor(source, base, feature)).toBe(true);
    expect(await mirrors.isAncestor(source, base, base)).toBe(true);
    expect(await mirrors.isAncestor(source, main, feature)).toBe(false);
    expect(await mirrors.changedFiles(source, main, feature, "merge base")).toEqual(["a b.txt", 'ünï\n"c.txt']);
    expect(await mirrors.changedFiles(source, main, feature, "from")).toEqual(["a b.txt", "d/main.txt", 'ünï\n"c.txt']);
  });

  it("of many commits at once, also of one that is older than all that is listed with a newer one", async () => {
    const { root, newest } = await longHistory();
    await mirrors.learn(source, [newest, root]);
    await rm(data, { recursive: true });
    await rm(host.folder, { recursive: true });
    // From memory, without the mirror and its host.
    expect(await mirrors.treeOf(source, root)).toBe(await mirrors.treeOf(source, newest));
  });

  it("nothing of what is no commit", async () => {
    const sha = await host.commit({});
    await runGit(host.folder, "tag", "-a", "-m", "one", "v1", sha);
    const tag = await runGit(host.folder, "rev-parse", "v1");
    await expect(mirrors.treeOf(source, tag)).rejects.toMatchObject({
      failure: "refused",
      message: expect.stringContaining("no commit"),
    });
  });

  it("ancestors that are further apart than what is learned at once", async () => {
    const { root, newest } = await longHistory();
    expect(await mirrors.isAncestor(source, root, newest)).toBe(true);
    expect(await mirrors.isAncestor(source, newest, root)).toBe(false);
  });

  it("what was fetched before anybody asked", async () => {
    const first = await host.commit({ "a.txt": "1" });
    await mirrors.fetch(source, "run", [first]);
    const second = await host.commit({ "a.txt": "2" });
    mirrors.prefetch(source, [second]);
    await until(`${second} is here`, async () => existsSync(join(mirror(), "refs", "kept", second)));
    await rm(host.folder, { recursive: true });
    await mirrors.fetch(source, "run", [second]);
    await mirrors.checkOut(source, "run", second, join(folder, "into"));
    expect(await readFile(join(folder, "into", "a.txt"), "utf8")).toBe("2");
  });

  it("that it does not know a commit", async () => {
    const known = await host.commit({});
    await mirrors.fetch(source, "run", [known]);
    await expect(mirrors.treeOf(source, unknown)).rejects.toMatchObject({ failure: "gone" });
    await expect(mirrors.isAncestor(source, known, unknown)).rejects.toMatchObject({ failure: "gone" });
    await expect(mirrors.changedFiles(source, known, unknown, "from")).rejects.toMatchObject({ failure: "gone" });
    await expect(mirrors.checkOut(source, "run", unknown, join(folder, "into"))).rejects.toMatchObject({ failure: "gone" });
  });
});

describe("a checkout", () => {
  it("has the commit's files and a git that reads the mirror", async () => {
    const first = await host.commit({ "d/a.txt": "1" });
    const second = await host.commit({ "d/a.txt": "2" });
    await mirrors.fetch(source, "run", [second]);
    const into = join(folder, "workspaces", "run");
    expect(await mirrors.checkOut(source, "run", first, into)).toEqual({ objects: join(mirror(), "objects") });

    expect(await readFile(join(into, "d/a.txt"), "utf8")).toBe("1");
    expect(await runGit(into, "status", "--porcelain")).toBe("");
    expect(await runGit(into, "rev-parse", "HEAD")).toBe(first);
    expect(await runGit(into, "count-objects")).toMatch(/^0 objects/);
    expect((await stat(into)).mode & 0o777).toBe(0o700);
  });

  it("works in the sandbox, where the mirror can only be read", async () => {
    const probe = await probeSandbox();
    if (!probe.works) throw new Error(probe.problem);
    const sha = await host.commit({ "a.txt": "1" });
    await mirrors.fetch(source, "run", [sha]);
    const workspace = join(folder, "into");
    const { objects } = await mirrors.checkOut(source, "run", sha, workspace);
    const scratch = join(folder, "scratch");
    await makeScratch(scratch);
    const cell = { workspace, scratch, readable: [objects], writable: [], network: false, env: {}, path: [] };
    const script = `git log --format=%H && git -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m mine && ! touch ${objects}/x`;
    const { ending, output } = await captureCommand(sandboxed(probe.sandbox, cell, ["/bin/sh", "-c", script]));
    expect({ ending, output }).toEqual({ ending: { kind: "exited", code: 0 }, output: `${sha}\n` });
  });

  it("goes nowhere where something is, and leaves that alone", async () => {
    const sha = await host.commit({ "a.txt": "1" });
    await mirrors.fetch(source, "run", [sha]);
    const into = join(folder, "into");
    await mkdir(into);
    await writeFile(join(into, "mine"), "mine");
    await expect(mirrors.checkOut(source, "run", sha, into)).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readdir(into)).toEqual(["mine"]);
  });

  it("leaves nothing when it is stopped or fails", async () => {
    const sha = await host.commit({ "a.txt": "1" });
    await mirrors.fetch(source, "run", [sha]);
    const into = join(folder, "into");
    await expect(mirrors.checkOut(source, "run", sha, into, AbortSignal.abort(new Error("superseded")))).rejects.toThrow(
      "superseded",
    );
    await expect(mirrors.checkOut(source, "run", unknown, into)).rejects.toThrow();
    expect(existsSync(into)).toBe(false);
  });

  it("is made eight times at once while garbage is collected and commits arrive", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`d${index % 7}/${index}.txt`, `${index}\n`.repeat(50)]),
    );
    const sha = await host.commit(files);
    await mirrors.fetch(source, "run", [sha]);
    const later = await host.commit({ "later.txt": "1" });
    const checkouts = Array.from({ length: 8 }, (_, index) =>
      mirrors.checkOut(source, "run", sha, join(folder, `into-${index}`)),
    );
    await Promise.all([
      ...checkouts,
      runGit(mirror(), "gc", "-q", "--prune=now"),
      mirrors.fetch(source, "run", [later]),
      mirrors.tidyAll(() => true),
    ]);

    for (let index = 0; index < 8; index++) expect(await runGit(join(folder, `into-${index}`), "status", "--porcelain")).toBe("");
    expect(await readFile(join(folder, "into-7", "d1/1.txt"), "utf8")).toBe(files["d1/1.txt"]);
  });

  it("runs nothing that the repository, the machine or the user brings along", async () => {
    const proof = join(folder, "proof");
    const sha = await host.commit({
      "a.bin": "1",
      ".gitattributes": "* filter=evil diff=evil\n",
      ".gitconfig": '[filter "evil"]\n',
    });
    const home = join(folder, "home");
    await mkdir(join(home, "hooks"), { recursive: true });
    await writeFile(join(home, "hooks", "post-checkout"), `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 });
    await writeFile(
      join(home, ".gitconfig"),
      `[core]\nhooksPath=${home}/hooks\n[filter "evil"]\nsmudge=touch ${proof}\n[init]\ntemplateDir=${home}\n`,
    );
    await symlink(join(home, ".gitconfig"), join(home, "config"));
    const env = {
      PATH: process.env.PATH,
      HOME: home,
      XDG_CONFIG_HOME: home,
      GIT_CONFIG_GLOBAL: join(home, ".gitconfig"),
      GIT_TEMPLATE_DIR: home,
    };
    mirrors = openMirrors(data, { protocols: ["file"], env });
    await mirrors.fetch(source, "run", [sha]);
    await mirrors.checkOut(source, "run", sha, join(folder, "into"));
    expect(existsSync(proof)).toBe(false);
    expect(existsSync(join(folder, "into", ".git", "hooks"))).toBe(false);
  });

  it("does not write through a link that the commit brings along", async () => {
    // A tree with the same name twice, as a link and as a folder: git does not make such a one, so it is written by hand.
    const outside = join(folder, "outside");
    await mkdir(outside);
    const store = async (type: string, content: string | Buffer) => {
      await writeFile(join(folder, "object"), content);
      return runGit(host.folder, "hash-object", "-w", "-t", type, "--literally", join(folder, "object"));
    };
    const entry = (mode: string, name: string, sha: string) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(sha, "hex")]);
    const inner = await store("tree", entry("100644", "file", await store("blob", "evil")));
    const root = await store(
      "tree",
      Buffer.concat([entry("120000", "link", await store("blob", outside)), entry("40000", "link", inner)]),
    );
    const sha = await runGit(host.folder, "commit-tree", "-m", "evil", root);

    await expect(mirrors.fetch(source, "run", [sha])).rejects.toMatchObject({
      name: "GitError",
      message: expect.stringContaining("duplicateEntries"),
    });
    // Nor would the checkout follow the link, were the commit in the mirror.
    await mirrors.fetch(source, "run", [await host.commit({})]);
    await runGit(mirror(), "fetch", "-q", host.folder, sha);
    await mirrors.checkOut(source, "run", sha, join(folder, "into")).catch(() => {});
    expect(await readdir(outside)).toEqual([]);
  });

  it("has links as links", async () => {
    await symlink("/etc/passwd", join(folder, "work", "link"));
    const sha = await host.commit({});
    await mirrors.fetch(source, "run", [sha]);
    await mirrors.checkOut(source, "run", sha, join(folder, "into"));
    expect((await lstat(join(folder, "into", "link"))).isSymbolicLink()).toBe(true);
  });
});

describe("a mirror that was damaged", () => {
  it.each([
    ["has no HEAD", async () => rm(join(mirror(), "HEAD"))],
    ["has no objects", async () => rm(join(mirror(), "objects"), { recursive: true })],
    ["has empty objects", async () => Promise.all((await objectFiles()).map((file) => truncate(file, 0)))],
    ["has lost its objects", async () => Promise.all((await objectFiles()).map((file) => rm(file)))],
  ])("%s: is made anew before the next checkout, with what others hold", async (_, damage) => {
    const base = await host.commit({});
    const first = await host.commit({ "a.txt": "1" });
    await mirrors.fetch(source, "other", [first]);
    await host.reset(base);
    const second = await host.commit({ "a.txt": "2" });
    await mirrors.fetch(source, "run", [second]);
    await makeWritable();
    await damage();

    await mirrors.fetch(source, "run", [second]);
    await mirrors.checkOut(source, "run", second, join(folder, "into"));
    expect(await readFile(join(folder, "into", "a.txt"), "utf8")).toBe("2");
    expect(await mirrors.treeOf(source, first)).toMatch(/^[0-9a-f]{40}$/);
  });

  it("in the middle of a file is found out by a checkout, which mends it and goes on", async () => {
    const text = randomBytes(100_000).toString("hex");
    const sha = await host.commit({ "a.txt": text });
    await mirrors.fetch(source, "run", [sha]);
    await makeWritable();
    // The middle of the largest file belongs to the text: commit and tree are whole, so the commit seems to be here.
    const sizes = await Promise.all((await objectFiles()).map(async (file) => ({ file, size: (await stat(file)).size })));
    const { file, size } = sizes.reduce((most, next) => (next.size > most.size ? next : most));
    await writeFile(file, (await readFile(file)).fill(0, Math.floor(size / 2), Math.floor(size / 2) + 1_000));

    await mirrors.checkOut(source, "run", sha, join(folder, "into"));
    expect(await readFile(join(folder, "into", "a.txt"), "utf8")).toBe(text);
  });

  it("is not blocked by the locks of a git that was killed", async () => {
    const first = await host.commit({ "a.txt": "1" });
    await mirrors.fetch(source, "run", [first]);
    for (const lock of [`refs/kept/${first}.lock`, "packed-refs.lock", "HEAD.lock", "config.lock"])
      await writeFile(join(mirror(), lock), "");

    mirrors = openMirrors(data, { protocols: ["file"] });
    await mirrors.release(1, "run");
    expect(await runGit(mirror(), "for-each-ref", "--format=%(refname)")).toBe(`refs/kept/${first}`);
  });

  async function objectFiles(): Promise<string[]> {
    const entries = await readdir(join(mirror(), "objects"), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  }

  /** Git makes its objects read-only. */
  async function makeWritable(): Promise<void> {
    for (const file of await objectFiles()) await chmod(file, 0o600);
  }
});
