import { createHash } from "node:crypto";
import { rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Caches, type Kept, openCaches } from "../process/cache.ts";
import { removeTree } from "../process/remove-tree.ts";
import { captureCommand } from "../process/spawn.ts";

/** All that decides what a build makes. */
export interface ArtefactKey {
  readonly repository: number;
  readonly sha: string;
  readonly command: string;
  /** Which commands of ours and of the operator's it finds, and what it is told. */
  readonly toolsPaths: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Built checkouts, without git's folder: what was tried in one environment is what goes on to the next. On this machine only; another one builds
 * again. What a build made is hostile: it is copied with its links as links, and nothing of it is run or followed here.
 */
export interface Artefacts {
  /** Puts what was kept in the place of a fresh checkout of the same commit, whose git's folder stays; false when nothing is kept. */
  restore(key: ArtefactKey, workspace: string, stop: AbortSignal): Promise<boolean>;
  /** Keeps a copy of a built checkout; half of one is never kept. Only when nothing of the build works any more. */
  keep(key: ArtefactKey, workspace: string, stop: AbortSignal): Promise<Kept>;
  /** Lets one at a time build the same: who waits is told, and finds it kept. Rejects with the reason of `stop`. */
  inTurn<T>(key: ArtefactKey, stop: AbortSignal, waits: () => Promise<void>, work: () => Promise<T>): Promise<T>;
}

/** Opens what is kept below a folder, which is made when needed; `caches` bounds its size, the longest unused goes first. */
export function openArtefacts(folder: string, caches: Caches = openCaches(folder)): Artefacts {
  const last = new Map<string, Promise<unknown>>();
  return {
    async restore(key, workspace, stop) {
      const place = besides(workspace);
      if ((await caches.restore(cacheKey(key), place, stop)) !== "restored") return false;
      const built = join(place.root, place.path);
      await rename(join(workspace, ".git"), join(built, ".git"));
      await removeTree(workspace);
      await rename(built, workspace);
      return true;
    },
    async keep(key, workspace, stop) {
      const place = besides(workspace);
      const copy = join(place.root, place.path);
      try {
        await run(["cp", "-a", "--reflink=auto", "-T", "--", workspace, copy], stop);
        await removeTree(join(copy, ".git"));
        // What is kept and then lost half by a power cut would go live.
        await run(["sync", "-f", "--", copy], stop);
        return await caches.keep(cacheKey(key), place);
      } finally {
        await removeTree(copy);
      }
    },
    async inTurn(key, stop, waits, work) {
      const name = digest(key);
      const before = last.get(name);
      const turn = Promise.withResolvers<void>();
      const mine = Promise.all([before, turn.promise]);
      last.set(name, mine);
      try {
        if (before !== undefined) {
          await waits();
          await orStopped(before, stop);
        }
        return await work();
      } finally {
        turn.resolve();
        if (last.get(name) === mine) last.delete(name);
      }
    },
  };
}

/** What lies beside the workspace is removed with it. */
function besides(workspace: string) {
  return { root: dirname(workspace), path: `${basename(workspace)}.built` };
}

function cacheKey(key: ArtefactKey) {
  return { repository: key.repository, check: digest(key), path: "built" };
}

function digest({ repository, sha, command, toolsPaths, env }: ArtefactKey): string {
  const entries = Object.entries(env).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([repository, sha, command, toolsPaths, entries]))
    .digest("hex");
}

async function orStopped(work: Promise<unknown>, stop: AbortSignal): Promise<void> {
  stop.throwIfAborted();
  const stopped = Promise.withResolvers<never>();
  const onStop = () => stopped.reject(stop.reason);
  stop.addEventListener("abort", onStop, { once: true });
  await Promise.race([work, stopped.promise]).finally(() => stop.removeEventListener("abort", onStop));
}

async function run(argv: readonly [string, ...string[]], stop: AbortSignal): Promise<void> {
  const env = { PATH: process.env.PATH ?? "", LC_ALL: "C" };
  const { ending, errors } = await captureCommand({ argv, cwd: "/", env }, { stop });
  if (ending.kind === "stopped") throw ending.reason;
  if (ending.kind === "exited" && ending.code === 0) return;
  throw new Error(`${argv[0]} failed on what was built: ${errors.trim().slice(0, 500) || "it did not say why"}`);
}
