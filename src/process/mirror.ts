import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GitError, type GitSetup, git } from "./git.ts";

/** A repository on its host. */
export interface GitSource {
  /** GitHub's number of the repository, which outlives its name. */
  readonly id: number;
  readonly cloneUrl: string;
  /** Asked each time something is fetched; null for a public repository. */
  readonly token: () => Promise<string | null>;
}

/** One bare repository of ours. Its `refs/ci/HOLDER/SHA` keep commits for whoever works with them, its `refs/recent/SHA` those that a next fetch builds upon. */
export interface Mirror {
  readonly folder: string;
  readonly setup: GitSetup;
}

/** Says whether a folder looks like a mirror. */
export async function isMirror(folder: string): Promise<boolean> {
  const parts = await Promise.all(["HEAD", "objects", "refs"].map((name) => stat(join(folder, name)).catch(() => null)));
  return parts.every((part) => part !== null);
}

/** Removes the locks of a git that was killed. Only while no git runs there. */
export async function breakLocks({ folder }: Mirror): Promise<void> {
  const refs = await readdir(join(folder, "refs"), { recursive: true }).catch(() => []);
  const top = await readdir(folder).catch(() => []);
  const locks = [...top, ...refs.map((name) => join("refs", name))].filter((name) => name.endsWith(".lock"));
  for (const lock of locks) await rm(join(folder, lock), { force: true });
}

/** Fetches what is not here of these commits and their history, then keeps all of them for the holder. Safe to repeat. */
export async function holdCommits(
  mirror: Mirror,
  source: GitSource,
  holder: string,
  shas: readonly string[],
  stop?: AbortSignal,
): Promise<void> {
  if (!(await areHere(mirror, shas, stop))) await fetchCommits(mirror, source, shas, stop);
  await updateRefs(
    mirror,
    shas.map((sha) => `update refs/ci/${holder}/${sha} ${sha}`),
  );
}

/** Lets a holder's commits go; the newest of all that was let go stay. Safe to repeat. */
export async function releaseCommits(mirror: Mirror, holder: string): Promise<void> {
  const held = await refsBelow(mirror, `refs/ci/${holder}/`);
  await updateRefs(
    mirror,
    held.flatMap((ref) => [`update refs/recent/${shaOf(ref)} ${shaOf(ref)}`, `delete ${ref}`]),
  );
  const recent = await refsBelow(mirror, "refs/recent/", "--sort=-committerdate");
  await updateRefs(
    mirror,
    recent.slice(32).map((ref) => `delete ${ref}`),
  );
}

/** Makes a mirror where there is none. A damaged one is thrown away, with the objects of checkouts that still run, and what is held there fetched anew. */
export async function remakeMirror(mirror: Mirror, source: GitSource, stop?: AbortSignal): Promise<void> {
  // Git reads the refs of what looks like a repository only.
  for (const part of ["objects", "refs"]) await mkdir(join(mirror.folder, part), { recursive: true, mode: 0o700 });
  await writeFile(join(mirror.folder, "HEAD"), "ref: refs/heads/main\n");
  const held = await refsBelow(mirror, "refs/ci/").catch(() => []);
  await rm(mirror.folder, { recursive: true, force: true });
  await makeMirror(mirror);
  for (const ref of held) {
    const holder = ref.split("/")[2];
    // Best effort: whoever holds a commit that is gone from the host too hears of it when he uses it.
    if (holder !== undefined) await holdCommits(mirror, source, holder, [shaOf(ref)], stop).catch(() => stop?.throwIfAborted());
  }
}

/** Collects garbage and packs, if there is enough of it to be worth it. Commits that nobody holds stay two weeks. */
export async function tidyMirror({ folder, setup }: Mirror): Promise<void> {
  const config = { "gc.auto": "2000", "gc.autoDetach": "false", "gc.pruneExpire": "2.weeks.ago" };
  await git(setup, { repository: folder, doing: "tidy a mirror", config }, ["gc", "--auto", "--quiet"]);
}

/** Whole or not at all. */
async function makeMirror({ folder, setup }: Mirror): Promise<void> {
  const part = join(dirname(folder), `.part-${randomUUID()}`);
  await mkdir(part, { recursive: true, mode: 0o700 });
  await git(setup, { repository: part, doing: "make a mirror", env: { GIT_TEMPLATE_DIR: "" } }, [
    "init",
    "-q",
    "--bare",
    "-b",
    "main",
  ]);
  await rename(part, folder);
}

/** Commits are here when all that belongs to them is, which their own presence does not prove: an interrupted prune takes trees first. */
async function areHere({ folder, setup }: Mirror, shas: readonly string[], stop: AbortSignal | undefined): Promise<boolean> {
  const call = { repository: folder, doing: `look for ${shas.join(", ")}`, stop, answers: [1, 128] };
  return (
    (await git(setup, call, ["rev-list", "--objects", "--quiet", ...shas.map((sha) => `${sha}^{commit}`), "--not", "--all"]))
      .code === 0
  );
}

async function fetchCommits(
  { folder, setup }: Mirror,
  source: GitSource,
  shas: readonly string[],
  stop: AbortSignal | undefined,
): Promise<void> {
  const doing = `fetch ${shas.join(", ")} from ${source.cloneUrl}`;
  const url = URL.parse(source.cloneUrl);
  if (!url || url.username || url.password || !setup.protocols.includes(url.protocol.slice(0, -1))) {
    throw new GitError(
      "refused",
      "fetch from a clone address",
      `it has to be one of ${setup.protocols.join(", ")}, without a password`,
    );
  }
  const token = await source.token();
  const config =
    token === null ? {} : { [`http.${url.origin}/.extraHeader`]: `Authorization: Basic ${btoa(`x-access-token:${token}`)}` };
  const options = ["-q", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules", "--refmap="];
  await git(setup, { repository: folder, doing, stop, config }, ["fetch", ...options, "--", source.cloneUrl, ...shas]);
}

async function refsBelow({ folder, setup }: Mirror, prefix: string, ...options: readonly string[]): Promise<readonly string[]> {
  const call = { repository: folder, doing: "list what is held" };
  const { output } = await git(setup, call, ["for-each-ref", "--format=%(refname)", ...options, prefix]);
  return output.split("\n").filter(Boolean);
}

/** All of them or none. */
async function updateRefs({ folder, setup }: Mirror, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  await git(setup, { repository: folder, doing: "keep commits", input: `${lines.join("\n")}\n` }, [
    "update-ref",
    "--no-deref",
    "--stdin",
  ]);
}

function shaOf(ref: string): string {
  return ref.slice(ref.lastIndexOf("/") + 1);
}
