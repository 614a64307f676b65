import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GitError, type GitSetup, git } from "./git.ts";
import { historyFormat } from "./history.ts";
import { removeTree } from "./remove-tree.ts";

/** A repository on its host. */
export interface GitSource {
  /** GitHub's number of the repository, which outlives its name. */
  readonly id: number;
  readonly cloneUrl: string;
  /** Asked each time something is fetched; null for a public repository. */
  readonly token: () => Promise<string | null>;
}

/** One bare repository of ours. Its `refs/kept/SHA` keep the commits that somebody works with, and the newest of the others, which a next fetch builds upon. */
export interface Mirror {
  readonly folder: string;
  readonly setup: GitSetup;
}

/** What reaches git's command line is checked here: it may come from anybody. */
export function full(sha: string): string {
  if (!/^[0-9a-f]{40}$/.test(sha)) throw new Error(`${JSON.stringify(sha)} is not a full SHA of 40 digits`);
  return sha;
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

/** How commits are fetched. */
export interface Fetching {
  readonly stop?: AbortSignal | undefined;
  /** Also wants to know what the commits say: a hundredth of a second, which a checkout does not spend. */
  readonly tell?: boolean | undefined;
}

/**
 * Fetches what is not here of these commits and their history, then keeps all of them. Safe to repeat. Git itself connects to nobody when all of
 * it is here; only where it cannot be asked for (there is no token, the host is down) a process of its own looks whether it need be. Resolves
 * with what `tellOf` says of them, where `tell` wants to know, or nothing.
 */
export async function keepCommits(
  mirror: Mirror,
  source: GitSource,
  shas: readonly string[],
  { stop, tell = false }: Fetching = {},
): Promise<string> {
  try {
    return await fetchCommits(mirror, source, shas, { stop, tell });
  } catch (error) {
    stop?.throwIfAborted();
    if (!(await areHere(mirror, shas, stop).catch(() => false))) throw error;
    await updateRefs(
      mirror,
      shas.map((sha) => `update ${refOf(sha)} ${sha}`),
    );
    return "";
  }
}

/** The arguments that have git tell of commits in `historyFormat`: of these and the newest of their history, but not of each when they are many. */
export function tellOf(shas: readonly string[]): readonly string[] {
  return ["log", historyFormat, `--max-count=${toldAtOnce + shas.length}`, ...shas, "--"];
}

const toldAtOnce = 50;

/** Keeps them no longer. Safe to repeat. */
export async function dropCommits(mirror: Mirror, shas: readonly string[]): Promise<void> {
  await updateRefs(
    mirror,
    shas.map((sha) => `delete ${refOf(sha)}`),
  );
}

/** What is kept, the oldest commit first. */
export async function keptCommits({ folder, setup }: Mirror): Promise<readonly string[]> {
  const call = { repository: folder, doing: "list what is kept" };
  const options = ["--format=%(refname)", "--sort=committerdate"];
  const { output } = await git(setup, call, ["for-each-ref", ...options, "refs/kept/"]);
  return output
    .split("\n")
    .filter(Boolean)
    .map((ref) => ref.slice(ref.lastIndexOf("/") + 1));
}

/** Collects garbage and packs, if there is enough of it to be worth it. Commits that nobody holds stay two weeks. */
export async function tidyMirror({ folder, setup }: Mirror): Promise<void> {
  const config = { "gc.auto": "2000", "gc.autoDetach": "false", "gc.pruneExpire": "2.weeks.ago" };
  await git(setup, { repository: folder, doing: "tidy a mirror", config }, ["gc", "--auto", "--quiet"]);
}

/** Makes a mirror where there is none, whole or not at all: with all that `fill` puts into it, or nothing is left and its rejection is passed on. */
export async function makeMirror(mirror: Mirror, prefix: string, fill: (part: Mirror) => Promise<void>): Promise<void> {
  const { folder, setup } = mirror;
  const part = { folder: join(dirname(folder), `${prefix}${randomUUID()}`), setup };
  await mkdir(part.folder, { recursive: true, mode: 0o700 });
  try {
    const call = { repository: part.folder, doing: "make a mirror", env: { GIT_TEMPLATE_DIR: "" } };
    await git(setup, call, ["init", "-q", "--bare", "-b", "main"]);
    await fill(part);
    await rename(part.folder, folder);
  } catch (error) {
    await removeTree(part.folder);
    throw error;
  }
}

/** Removes what a fetch or a gc that failed or was killed left half written. Only while none runs there. */
export async function sweepTemporary({ folder }: Mirror): Promise<void> {
  const objects = join(folder, "objects");
  const names = await readdir(objects, { recursive: true }).catch(() => []);
  for (const name of names.filter((name) => /(^|\/)(tmp_|incoming-)[^/]*$|(^|\/)\.tmp-[^/]*$/.test(name)))
    await rm(join(objects, name), { recursive: true, force: true });
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
  { stop, tell }: Fetching,
): Promise<string> {
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
  const options = [
    "-q",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--no-recurse-submodules",
    "--refmap=",
    "--atomic",
  ];
  const refs = shas.map((sha) => `+${sha}:${refOf(sha)}`);
  const call = { repository: folder, doing, stop, config, ...(tell ? { next: tellOf(shas) } : {}) };
  return (await git(setup, call, ["fetch", ...options, "--", source.cloneUrl, ...refs])).output;
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

function refOf(sha: string): string {
  return `refs/kept/${sha}`;
}
