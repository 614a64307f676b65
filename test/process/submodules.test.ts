import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitSource, type Mirrors, openMirrors } from "../../src/process/checkout.ts";
import { type HostedRepository, hostRepository, runGit, serveGit } from "./git-host.ts";

const token = "ghs_0123456789abcdefghijklmnopqrstuvwxyz";

let folder: string;
let server: Awaited<ReturnType<typeof serveGit>>;
let shop: HostedRepository;
let lib: HostedRepository;
let source: GitSource;
let mirrors: Mirrors;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "signalbox-submodules-"));
  await mkdir(join(folder, "hosted"));
  shop = await hostRepository(join(folder, "hosted", "shop"));
  lib = await hostRepository(join(folder, "hosted", "lib"));
  server = await serveGit(join(folder, "hosted"), token);
  source = { id: 1, cloneUrl: `${server.origin}/shop/hosted.git`, token: async () => token };
  mirrors = openMirrors(join(folder, "mirrors"));
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Commits a link to another repository's commit, with whatever `.gitmodules` says of it. */
async function link(repository: HostedRepository, path: string, sha: string, gitmodules: string): Promise<string> {
  const work = join(repository.folder, "..", "work");
  await writeFile(join(work, ".gitmodules"), gitmodules);
  await runGit(work, "add", ".gitmodules");
  await runGit(work, "update-index", "--add", "--cacheinfo", `160000,${sha},${path}`);
  await mkdir(join(work, path), { recursive: true });
  await runGit(work, "commit", "-q", "-m", "link");
  await runGit(work, "push", "-q", "--force", repository.folder, "main");
  return runGit(work, "rev-parse", "HEAD");
}

const at = (path: string, url: string) => `[submodule "one"]\n\tpath = ${path}\n\turl = ${url}\n`;

async function checkOut(sha: string): Promise<string> {
  const into = join(folder, "into");
  await mirrors.fetch(source, "run", [sha]);
  await mirrors.checkOut(source, "run", sha, into);
  return into;
}

describe("a submodule", () => {
  it.each([
    ["its address", () => `${server.origin}/lib/hosted.git`],
    ["a relative address", () => "../../lib/hosted.git"],
    ["an address for ssh", () => "ssh://git@127.0.0.1/lib/hosted.git"],
    ["an address for scp", () => "git@127.0.0.1:lib/hosted.git"],
  ])("is checked out at its pinned commit, by %s, with the same token", async (_, address) => {
    const pinned = await lib.commit({ "a.txt": "pinned" });
    await lib.commit({ "a.txt": "newer" });
    const into = await checkOut(await link(shop, "vendor/a lib", pinned, at("vendor/a lib", address())));

    expect(await readFile(join(into, "vendor/a lib/a.txt"), "utf8")).toBe("pinned");
    expect(await runGit(join(into, "vendor/a lib"), "rev-parse", "HEAD")).toBe(pinned);
    expect(await runGit(into, "status", "--porcelain")).toBe("");
    expect(await runGit(join(into, "vendor/a lib"), "status", "--porcelain")).toBe("");
    expect(server.seen.every(({ answer }) => answer === 200)).toBe(true);
    // Held as long as the commit itself.
    expect(await runGit(join(folder, "mirrors", "1"), "for-each-ref", "--format=%(refname)", "refs/kept")).toContain(pinned);
  });

  it("may have submodules", async () => {
    const base = await hostRepository(join(folder, "hosted", "base"));
    const deepest = await base.commit({ "b.txt": "base" });
    const pinned = await link(lib, "base", deepest, at("base", "../../base/hosted.git"));
    const into = await checkOut(await link(shop, "lib", pinned, at("lib", "../../lib/hosted.git")));
    expect(await readFile(join(into, "lib/base/b.txt"), "utf8")).toBe("base");
  });

  it("that .gitmodules does not know stays empty, as git leaves it", async () => {
    const pinned = await lib.commit({ "a.txt": "1" });
    const into = await checkOut(await link(shop, "lib", pinned, at("elsewhere", "../../lib/hosted.git")));
    expect(await readdir(join(into, "lib"))).toEqual([]);
  });

  it("whose commit is gone is told, and nothing is left", async () => {
    const sha = await link(shop, "lib", "0123456789".repeat(4), at("lib", "../../lib/hosted.git"));
    await expect(checkOut(sha)).rejects.toMatchObject({ failure: "gone", message: expect.stringContaining("lib/hosted.git") });
    expect(existsSync(join(folder, "into"))).toBe(false);
  });

  it("that the token may not read is told with its address", async () => {
    const pinned = await lib.commit({});
    const sha = await link(shop, "lib", pinned, at("lib", "../../nothing/hosted.git"));
    await expect(checkOut(sha)).rejects.toMatchObject({
      failure: "refused",
      message: expect.stringContaining("nothing/hosted.git"),
    });
  });

  it.each([
    ["https://evil.example.com/lib.git", "is on another host"],
    ["git@evil.example.com:lib.git", "is on another host"],
    ["ssh://git@evil.example.com/lib.git", "is on another host"],
    ["http://127.0.0.1:1/lib.git", "is on another host"],
    ["ext::sh -c touch% proof", "is none that can be used"],
    ["ext::touch", "is none that can be used"],
    ["--upload-pack=touch proof", ""],
    ["-u./payload", ""],
    ["file:///etc", "is on another host"],
    ["/etc", "is none that can be used"],
    ["../../../../etc", "is none that can be used"],
    ["https://user:secret@127.0.0.1/lib.git", ""],
  ])("at %s is refused, nothing is asked there, and nothing is left", async (address, why) => {
    const pinned = await lib.commit({});
    const sha = await link(shop, "lib", pinned, at("lib", address));
    const refusal = await checkOut(sha).catch((error) => error);
    // Some of them git refuses itself, when the commit is fetched.
    expect(refusal).toMatchObject({ name: "GitError", failure: "refused", message: expect.stringContaining(why) });
    expect(server.seen.filter(({ url }) => !url.startsWith("/shop/"))).toEqual([]);
    expect(existsSync(join(folder, "into"))).toBe(false);
  });

  it("is not put where a link leads out", async () => {
    const outside = join(folder, "outside");
    await mkdir(outside);
    const pinned = await lib.commit({ "a.txt": "1" });
    await symlink(outside, join(folder, "hosted", "shop", "work", "link"));
    await shop.commit({});
    const sha = await link(shop, "lib", pinned, at("link", "../../lib/hosted.git"));
    await checkOut(sha).catch(() => {});
    expect(await readdir(outside)).toEqual([]);
  });
});
