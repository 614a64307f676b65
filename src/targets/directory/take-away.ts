import { rm, rmdir, stat } from "node:fs/promises";
import type { Io } from "../../process/io.ts";
import { OperatorProblem, type Removed } from "../target.ts";
import type { Folder } from "./folder.ts";
import { openReleases, remove } from "./site.ts";

interface Site {
  readonly destination: string;
  /** As the repository's file names it. */
  readonly path: string;
  readonly io: Pick<Io, "write">;
}

/** What we lay out in a site. `current` first: who reads finds the whole site or none. */
const parts = ["current", ".current.part", "releases", "shared"];

/**
 * Takes a site away with all its releases and what they shared, while its lock is held. What else somebody put there stays, and the folder with
 * it. Safe to repeat, also after it was broken off.
 */
export async function takeAway(site: Folder, { destination, path, io }: Site): Promise<Removed> {
  // A site that is not laid out as ours are is refused.
  await using _ = await openReleases(site);
  for (const part of parts) {
    if (await remove(site, part)) continue;
    throw new OperatorProblem(`${path}/${part} could not be removed`, "Remove it by hand, or let the server's user do so");
  }
  await rm(site.at(".lock"), { force: true });
  const isGone = await rmdir(destination).then(
    () => true,
    () => false,
  );
  await io.write(Buffer.from(isGone ? `${path} is gone.\n` : `The releases in ${path} are gone; what else lies there stays.\n`));
  return { kind: "removed" };
}

/** Whether a site that is held open is still the one that its path leads to. */
export async function isStillAt(site: Folder, destination: string): Promise<boolean> {
  const [open, there] = await Promise.all([stat(site.at()), stat(destination).catch(() => null)]);
  return there !== null && there.ino === open.ino && there.dev === open.dev;
}
