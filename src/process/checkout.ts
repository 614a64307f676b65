import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { GitError, type GitSetup, git } from "./git.ts";
import { openHistory } from "./history.ts";
import { type GitSource, isMirror, type Mirror, tellOf } from "./mirror.ts";
import { newest } from "./newest.ts";
import { isDamage, RepositoryMirror, repositoriesBelow } from "./repository-mirror.ts";
import { turns } from "./turns.ts";
import { checkOutTree } from "./working-tree.ts";

export { GitError } from "./git.ts";
export type { GitSource } from "./mirror.ts";

/**
 * A bare mirror of each repository, one folder each. All calls may be made at once: what changes a mirror waits for its turn, what reads does
 * not. What fails throws `GitError`, or the reason of `stop`. SHAs have 40 digits.
 */
export interface Mirrors {
  /** Fetches what is missing of these commits, nothing when all are here, and keeps them for the holder until `release`. Safe to repeat. A damaged mirror is made anew, and what live checkouts borrow from the old one stays. */
  fetch(source: GitSource, holder: string, shas: readonly string[], stop?: AbortSignal): Promise<void>;
  /** To be called when the holder's checkouts are no longer in use. Safe to repeat. */
  release(repositoryId: number, holder: string): Promise<void>;
  /**
   * What is asked of commits is fetched when it is not here, held while it is looked up, and remembered: commits never change. This has it ready
   * for several at once.
   */
  learn(source: GitSource, shas: readonly string[]): Promise<void>;
  /** Begins to learn of commits for whoever asks in a moment; only where the repository has a mirror. What fails is left to him to find out. */
  prefetch(source: GitSource, shas: readonly string[]): void;
  treeOf(source: GitSource, sha: string): Promise<string>;
  /** A commit is its own ancestor. */
  isAncestor(source: GitSource, ancestor: string, descendant: string): Promise<boolean>;
  /** The files that differ: between the two commits, or since the descendant left the other's history, as a pull request shows it. */
  changedFiles(source: GitSource, from: string, to: string, since: "from" | "merge base"): Promise<readonly string[]>;
  /**
   * Puts a held commit's files and a `.git` without objects into `into`, which must not exist, with its submodules and the large files of Git LFS,
   * which are fetched from the same host and kept for the holder too; nothing is left there when it fails. The objects folder has to be readable
   * at the same path wherever git is used there.
   */
  checkOut(
    source: GitSource,
    holder: string,
    sha: string,
    into: string,
    stop?: AbortSignal,
  ): Promise<{ readonly objects: string }>;
  /**
   * Packs and collects garbage where that is worth it, then removes what was not used for the longest time until all is small enough, never what
   * is held. Leaves off as soon as `isIdle` says no; what was begun is ended.
   */
  tidyAll(isIdle: () => boolean | Promise<boolean>): Promise<void>;
  /** Breaks off what was begun for nobody yet, and resolves when none of it is under way. */
  stop(): Promise<void>;
}

/**
 * Opens the mirrors below a folder, which is made when needed. One server at a time: locks that a dead one left there are broken. `limit` is in
 * bytes and kept by `tidyAll`.
 */
export function openMirrors(folder: string, setup: Partial<GitSetup> = {}, limit = 21_474_836_480): Mirrors {
  const complete: GitSetup = { env: process.env, protocols: ["https", "http"], ...setup };
  const inTurn = turns<number>();
  const opened = new Map<number, RepositoryMirror>();
  const mirrorOf = (id: number): RepositoryMirror => {
    const mirror = opened.get(whole(id)) ?? new RepositoryMirror(folder, id, complete);
    opened.set(id, mirror);
    return mirror;
  };

  // Remembered, because a process that looks takes longer than all else.
  const history = openHistory(10_000);
  const mergeBases = newest<string>(10_000);
  const learnInTurn = turns<number>();
  const stopping = new AbortController();
  const prefetching = new Set<Promise<void>>();

  /** What the mirror cannot answer because it is damaged, the next fetch mends. */
  async function read<T>(id: number, work: (mirror: Mirror) => Promise<T>): Promise<T> {
    const repository = mirrorOf(id);
    // Before the first fetch of this server's life it is not known which generation is the newest.
    if (!repository.isOpen) await inTurn(id, () => repository.open());
    const mirror = repository.current;
    if (!(await isMirror(mirror.folder))) throw new GitError("broken", "read a mirror", `${mirror.folder} has not been fetched`);
    return work(mirror).catch((error) => {
      if (isDamage(error)) repository.markDamaged();
      throw error;
    });
  }

  const fetch: Mirrors["fetch"] = (source, holder, shas, stop) =>
    inTurn(source.id, async () => {
      stop?.throwIfAborted();
      history.learn(source.id, await mirrorOf(source.id).hold(source, name(holder), shas.map(full), stop));
    });

  const release = (id: number, holder: string) => inTurn(id, () => mirrorOf(id).release(name(holder)));

  async function look<T>(source: GitSource, shas: readonly string[], work: (mirror: Mirror) => Promise<T>): Promise<T> {
    const holder = `look-${randomUUID()}`;
    try {
      await fetch(source, holder, shas, stopping.signal);
      return await read(source.id, work);
    } finally {
      await release(source.id, holder);
    }
  }

  /** With the newest of their history, among which is most of what they are compared with. */
  async function learn(source: GitSource, shas: readonly string[]): Promise<void> {
    const unknown = () => shas.filter((sha) => history.get(source.id, full(sha)) === null);
    if (unknown().length === 0) return;
    await learnInTurn(source.id, async () => {
      // What went before may have told of them, and so may the fetch. Each process tells of the newest of them at least.
      for (let left = unknown(); left.length > 0; left = unknown()) {
        await look(source, left, async ({ folder: repository, setup }) => {
          left = unknown();
          if (left.length === 0) return;
          const call = { repository, doing: `look up ${left.join(", ")}`, stop: stopping.signal };
          history.learn(source.id, (await git(setup, call, tellOf(left))).output);
        });
      }
    });
  }

  return {
    fetch,
    release,
    learn,
    prefetch(source, shas) {
      const begun = repositoriesBelow(folder)
        .then((ids) => (ids.includes(source.id) ? learn(source, shas) : undefined))
        .catch(() => {})
        .finally(() => prefetching.delete(begun));
      prefetching.add(begun);
    },
    treeOf: async (source, sha) => {
      await learn(source, [sha]);
      const facts = history.get(source.id, sha);
      if (facts === null) throw new Error(`${sha} was learned and is not known`);
      return facts.tree;
    },
    isAncestor: async (source, ancestor, descendant) => {
      const pair = [ancestor, descendant].toSorted();
      await learn(source, pair);
      const known = history.isAncestor(source.id, ancestor, descendant);
      if (known !== null) return known;
      // One process tells of both directions.
      const base = await mergeBases(`${source.id} ${pair.join(" ")}`, () =>
        look(source, pair, async ({ folder: repository, setup }) => {
          const call = { repository, doing: `compare ${ancestor} with ${descendant}`, answers: [1] };
          return (await git(setup, call, ["merge-base", ...pair])).output.trim();
        }),
      );
      return base === ancestor;
    },
    changedFiles: (source, from, to, since) =>
      look(source, [from, to], async ({ folder: repository, setup }) => {
        const call = { repository, doing: `compare ${from} with ${to}` };
        const base = since === "from" ? [] : ["--merge-base"];
        const options = ["-r", "-z", "--name-only", "--no-renames", ...base];
        const { output } = await git(setup, call, ["diff-tree", ...options, from, to]);
        return output.split("\0").filter(Boolean);
      }),
    tidyAll: async (isIdle) => {
      const ids = await repositoriesBelow(folder);
      for (const id of ids) if (await isIdle()) await inTurn(id, () => mirrorOf(id).tidy());
      const sizes = await Promise.all(ids.map((id) => inTurn(id, async () => ({ id, ...(await mirrorOf(id).measure()) }))));
      let total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
      for (const { id, bytes } of sizes.toSorted((one, other) => one.usedAt - other.usedAt)) {
        if (total <= limit || !(await isIdle())) return;
        if (await inTurn(id, () => mirrorOf(id).removeUnlessHeld())) total -= bytes;
      }
    },
    checkOut: async (source, holder, sha, into, stop) => {
      const checkOut = () =>
        read(source.id, async (mirror) => {
          const bring = (from: GitSource, shas: readonly string[]) => fetch(from, holder, shas, stop);
          await checkOutTree({ mirror, source, sha: full(sha), fetch: bring, stop }, into);
          return { objects: join(mirror.folder, "objects") };
        });
      return checkOut().catch(async (error) => {
        if (!isDamage(error)) throw error;
        // Only now it shows that the mirror is damaged; the fetch makes it anew.
        await fetch(source, holder, [sha], stop);
        return checkOut();
      });
    },
    async stop() {
      stopping.abort();
      await Promise.all(prefetching);
    },
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
