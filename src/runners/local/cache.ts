import type { CachePlace, Kept, Restored } from "../../process/cache.ts";
import type { CheckCache, CheckIo } from "../runner.ts";

/** What a check's `cache:` names, and where its `~` and its workspace are on this machine. */
export interface CachedFolders {
  readonly cache: CheckCache;
  readonly paths: readonly string[];
  readonly workspace: string;
  readonly home: string;
}

/** Puts what the last passed run left into its places, as a step of the log. A cache that fails is no reason to fail: the check runs without it. */
export async function restoreFolders(folders: CachedFolders, io: CheckIo): Promise<void> {
  const step = await io.step("Restore cache");
  for (const path of folders.paths) {
    const answer = await folders.cache.restore(path, placeOf(folders, path), io.stop).catch(async (error) => {
      if (!io.stop.aborted) return failedWith(error);
      await step.end(null);
      throw io.stop.reason;
    });
    await io.write(Buffer.from(`${path}: ${sayRestored(answer)}\n`));
  }
  await step.end(null);
}

/** Leaves the folders to the next run, as a step of the log. Only for a check that passed, when nothing of it works any more: they are taken away. */
export async function keepFolders(folders: CachedFolders, io: CheckIo): Promise<void> {
  const step = await io.step("Keep cache");
  for (const path of folders.paths) {
    const answer = await folders.cache.keep(path, placeOf(folders, path)).catch(failedWith);
    await io.write(Buffer.from(`${path}: ${sayKept(answer)}\n`));
  }
  await step.end(null);
}

function placeOf({ workspace, home }: CachedFolders, path: string): CachePlace {
  return path.startsWith("~/") ? { root: home, path: path.slice(2) } : { root: workspace, path };
}

/** Why stays with the server: it names folders of this machine. */
function failedWith(error: unknown): "failed" {
  if (!Error.isError(error)) throw error;
  return "failed";
}

function sayRestored(answer: Restored | "failed"): string {
  switch (answer) {
    case "restored":
      return "restored";
    case "nothing kept":
      return "nothing is kept yet";
    case "occupied":
      return "not restored, because the commit has something there";
    case "failed":
      return "not restored, because the server could not copy it";
  }
}

function sayKept(answer: Kept | "failed"): string {
  switch (answer) {
    case "kept":
      return "kept";
    case "missing":
      return "not kept, because there is no such folder";
    case "too large":
      return "not kept, because it is too large";
    case "failed":
      return "not kept, because the server could not read or move it";
  }
}
