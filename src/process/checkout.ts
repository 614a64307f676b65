import { join } from "node:path";
import { type Commits, openCommits } from "./commits.ts";
import { GitError, type GitSetup } from "./git.ts";
import { openHistory } from "./history.ts";
import { type Fetching, full, type GitSource, isMirror, type Mirror } from "./mirror.ts";
import { isDamage, RepositoryMirror, repositoriesBelow } from "./repository-mirror.ts";
import { turns } from "./turns.ts";
import { checkOutTree } from "./working-tree.ts";

export { GitError } from "./git.ts";
export type { GitSource } from "./mirror.ts";

/**
 * A bare mirror of each repository, one folder each. All calls may be made at once: what changes a mirror waits for its turn, what reads does
 * not. What fails throws `GitError`, or the reason of `stop`. SHAs have 40 digits.
 */
export interface Mirrors extends Commits {
  /** Fetches what is missing of these commits, nothing when all are here, and keeps them for the holder until `release`. Safe to repeat. A damaged mirror is made anew, and what live checkouts borrow from the old one stays. */
  fetch(source: GitSource, holder: string, shas: readonly string[], stop?: AbortSignal): Promise<void>;
  /** To be called when the holder's checkouts are no longer in use. Safe to repeat. */
  release(repositoryId: number, holder: string): Promise<void>;
  /** Begins to learn of commits for whoever asks in a moment; only where the repository has a mirror. What fails is left to him to find out. */
  prefetch(source: GitSource, shas: readonly string[]): void;
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
  /** Breaks looks off, and resolves when nothing is under way that was begun for nobody yet. Nothing is to be asked afterwards. */
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

  const history = openHistory(10_000);
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

  const hold = (source: GitSource, holder: string, shas: readonly string[], fetching: Fetching) =>
    inTurn(source.id, async () => {
      fetching.stop?.throwIfAborted();
      history.learn(source.id, await mirrorOf(source.id).hold(source, name(holder), shas.map(full), fetching));
    });

  const fetch: Mirrors["fetch"] = (source, holder, shas, stop) => hold(source, holder, shas, { stop });
  const release = (id: number, holder: string) => inTurn(id, () => mirrorOf(id).release(name(holder)));

  const commits = openCommits({ hold, release, read }, history, stopping.signal);

  return {
    fetch,
    release,
    ...commits,
    prefetch(source, shas) {
      const begun = repositoriesBelow(folder)
        .then((ids) => (ids.includes(source.id) ? commits.learn(source, shas) : undefined))
        .catch(() => {})
        .finally(() => prefetching.delete(begun));
      prefetching.add(begun);
    },
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

function name(holder: string): string {
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(holder))
    throw new Error(`${JSON.stringify(holder)} cannot hold commits: letters, digits, - and _ only`);
  return holder;
}

function whole(id: number): number {
  if (!Number.isSafeInteger(id) || id < 0) throw new Error(`${id} is not the number of a repository`);
  return id;
}
