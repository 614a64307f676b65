import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GitError, type GitSetup, git } from "./git.ts";
import {
  breakLocks,
  type GitSource,
  holdCommits,
  isMirror,
  type Mirror,
  releaseCommits,
  remakeMirror,
  tidyMirror,
} from "./mirror.ts";

export { GitError } from "./git.ts";
export type { GitSource } from "./mirror.ts";

/**
 * A bare mirror of each repository, one folder each. All calls may be made at once: what changes a mirror waits for its turn, what reads does
 * not. What fails throws `GitError`, or the reason of `stop`. SHAs have 40 digits.
 */
export interface Mirrors {
  /** Fetches what is missing of these commits, nothing when all are here, and keeps them for the holder until `release`. Safe to repeat. A damaged mirror is made anew once. */
  fetch(source: GitSource, holder: string, shas: readonly string[], stop?: AbortSignal): Promise<void>;
  /** To be called when the holder's checkouts are no longer in use. Safe to repeat. */
  release(repositoryId: number, holder: string): Promise<void>;
  treeOf(repositoryId: number, sha: string): Promise<string>;
  /** A commit is its own ancestor. */
  isAncestor(repositoryId: number, ancestor: string, descendant: string): Promise<boolean>;
  /** The files that differ: between the two commits, or since the descendant left the other's history, as a pull request shows it. */
  changedFiles(repositoryId: number, from: string, to: string, since: "from" | "merge base"): Promise<readonly string[]>;
  /**
   * Puts a held commit's files and a `.git` without objects into `into`, which must not exist; nothing is left there when it fails. The
   * objects folder has to be readable at the same path wherever git is used there.
   */
  checkOut(repositoryId: number, sha: string, into: string, stop?: AbortSignal): Promise<{ readonly objects: string }>;
  /** Packs and collects garbage if it is worth it; for when nothing else is to do. */
  tidy(repositoryId: number): Promise<void>;
}

/** Opens the mirrors below a folder, which is made when needed. One server at a time: locks that a dead one left there are broken. */
export function openMirrors(folder: string, setup: Partial<GitSetup> = {}): Mirrors {
  const complete: GitSetup = { env: process.env, protocols: ["https", "http"], ...setup };
  const inTurn = turns();
  const opened = new Set<number>();
  const damaged = new Set<number>();
  const mirrorOf = (id: number): Mirror => ({ folder: join(folder, String(whole(id))), setup: complete });

  /** To be called in turn: for the first time, no git of ours runs there yet. */
  async function open(id: number): Promise<Mirror | null> {
    const mirror = mirrorOf(id);
    if (!opened.has(id)) await breakLocks(mirror);
    opened.add(id);
    return (await isMirror(mirror.folder)) ? mirror : null;
  }

  /** What the mirror cannot answer because it is damaged, the next fetch mends. */
  async function read<T>(id: number, work: (mirror: Mirror) => Promise<T>): Promise<T> {
    const mirror = mirrorOf(id);
    if (!(await isMirror(mirror.folder))) throw new GitError("broken", "read a mirror", `${mirror.folder} has not been fetched`);
    return work(mirror).catch((error) => {
      if (isDamage(error)) damaged.add(id);
      throw error;
    });
  }

  return {
    fetch: (source, holder, shas, stop) =>
      inTurn(source.id, async () => {
        stop?.throwIfAborted();
        const mirror = mirrorOf(source.id);
        const hold = () => holdCommits(mirror, source, name(holder), shas.map(full), stop);
        if ((await open(source.id)) && !damaged.has(source.id)) {
          try {
            return await hold();
          } catch (error) {
            if (!isDamage(error)) throw error;
          }
        }
        await remakeMirror(mirror, source, stop);
        damaged.delete(source.id);
        await hold();
      }),
    release: (id, holder) =>
      inTurn(id, async () => {
        const mirror = await open(id);
        if (mirror) await releaseCommits(mirror, name(holder));
      }),
    tidy: (id) =>
      inTurn(id, async () => {
        const mirror = await open(id);
        if (mirror) await tidyMirror(mirror);
      }),
    treeOf: (id, sha) =>
      read(id, async (mirror) => {
        const call = { repository: mirror.folder, doing: `find the tree of ${full(sha)}` };
        return (await git(mirror.setup, call, ["rev-parse", "--verify", `${sha}^{tree}`])).output.trim();
      }),
    isAncestor: (id, ancestor, descendant) =>
      read(id, async (mirror) => {
        const call = { repository: mirror.folder, doing: `compare ${full(ancestor)} with ${full(descendant)}`, answers: [1] };
        return (await git(mirror.setup, call, ["merge-base", "--is-ancestor", ancestor, descendant])).code === 0;
      }),
    changedFiles: (id, from, to, since) =>
      read(id, async (mirror) => {
        const call = { repository: mirror.folder, doing: `compare ${full(from)} with ${full(to)}` };
        const base = since === "from" ? [] : ["--merge-base"];
        const { output } = await git(mirror.setup, call, [
          "diff-tree",
          "-r",
          "-z",
          "--name-only",
          "--no-renames",
          ...base,
          from,
          to,
        ]);
        return output.split("\0").filter(Boolean);
      }),
    checkOut: (id, sha, into, stop) =>
      read(id, async (mirror) => {
        const objects = join(mirror.folder, "objects");
        await checkOutFrom(objects, full(sha), into, complete, stop);
        return { objects };
      }),
  };
}

async function checkOutFrom(
  objects: string,
  sha: string,
  into: string,
  setup: GitSetup,
  stop: AbortSignal | undefined,
): Promise<void> {
  await mkdir(dirname(into), { recursive: true, mode: 0o700 });
  await mkdir(into, { mode: 0o700 });
  try {
    const repository = join(into, ".git");
    await mkdir(repository);
    const config = { "checkout.workers": "4", "checkout.thresholdForParallelism": "100" };
    const call = { repository, doing: `check out ${sha}`, stop, config, env: { GIT_TEMPLATE_DIR: "" } };
    await git(setup, call, ["-C", into, "init", "-q", "-b", "main"]);
    await mkdir(join(repository, "objects", "info"), { recursive: true });
    await writeFile(join(repository, "objects", "info", "alternates"), `${objects}\n`);
    await git(setup, call, ["-C", into, "checkout", "-q", "--detach", sha]);
  } catch (error) {
    await rm(into, { recursive: true, force: true });
    throw error;
  }
}

/** What shows that a mirror's own files are wrong; a full disk is not that. */
function isDamage(error: unknown): boolean {
  return (
    error instanceof GitError &&
    error.failure === "broken" &&
    /corrupt|inflate|bad (object|tree|ref)|unable to (read|parse)|missing (blob|tree|object)|not a git repository|did not send all|valid object|unresolved delta|garbage|packfile|index file|object file|has not been fetched/i.test(
      error.said,
    )
  );
}

/** Calls for the same repository one after the other, in the order of their arrival. */
function turns(): <T>(id: number, work: () => Promise<T>) => Promise<T> {
  const last = new Map<number, Promise<unknown>>();
  return (id, work) => {
    const turn = (last.get(id) ?? Promise.resolve()).then(work, work);
    last.set(id, turn);
    return turn;
  };
}

/** What reaches git's command line is checked here: it may come from anybody. */
function full(sha: string): string {
  if (!/^[0-9a-f]{40}$/.test(sha)) throw new Error(`${JSON.stringify(sha)} is not a full SHA of 40 digits`);
  return sha;
}

function name(holder: string): string {
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(holder))
    throw new Error(`${JSON.stringify(holder)} cannot hold commits: letters, digits, - and _ only`);
  return holder;
}

function whole(id: number): number {
  if (!Number.isSafeInteger(id) || id < 0) throw new Error(`${id} is not the number of a repository`);
  return id;
}
