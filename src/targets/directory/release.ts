import { lstat } from "node:fs/promises";
import type { Io } from "../../process/io.ts";
import { sayAmount } from "../release/amount.ts";
import { nameOf, releaseName, releasesToRemove } from "../release/names.ts";
import { Refusal } from "../release/refusal.ts";
import type { Tree } from "../release/tree.ts";
import type { Deployed, DeployOrder } from "../target.ts";
import { type Copied, copyTree } from "./copy.ts";
import type { DirectoryOptions } from "./directory.ts";
import type { Folder } from "./folder.ts";
import { restart } from "./restart.ts";
import { prepareShared } from "./shared.ts";
import { currentOf, entriesOf, finishRelease, openReleases, remove, removeRelease, switchTo } from "./site.ts";

/** One deployment to one folder, while its lock is held. */
export interface Work {
  readonly site: Folder;
  /** Where the site lies when no link is in the way: what commands are told, never what we write through. */
  readonly destination: string;
  readonly options: DirectoryOptions;
  readonly order: DeployOrder;
  readonly io: Io;
}

/** Makes a release of the tree and switches to it. */
export async function deployTo(work: Work, tree: Tree): Promise<Deployed> {
  const { site, options, order, io } = work;
  await using releases = await openReleases(site);
  await prepareShared(site, options.shared);
  const existing = await entriesOf(releases);
  for (const leftover of existing.filter((name) => name.startsWith(".part-"))) await remove(releases, leftover);

  const name = releaseName(order.sha, new Date(), existing);
  const part = `.part-${name}`;
  const last = await currentOf(site);
  try {
    await using folder = await releases.make(part);
    await say(io, said(await copyInto(folder, tree, releases, last, io.stop), name));
    io.stop.throwIfAborted();
    await finishRelease(releases, part, name);
    const refused = await goLive(work, name, last);
    if (refused !== null) {
      if (refused.live === "unchanged") await remove(releases, name);
      return refused;
    }
  } catch (error) {
    for (const half of [part, name]) if ((await currentOf(site)) !== half) await remove(releases, half);
    throw error;
  }
  // From here on the release is live, whatever happens to the rest.
  for (const old of releasesToRemove(existing, name, options.keep)) {
    if (!(await removeRelease(releases, old))) await say(io, `releases/${old} could not be removed.`);
  }
  return { kind: "live", release: { path: `releases/${name}` } };
}

/** Switches back to a release that is still there. */
export async function restoreAt(work: Work, name: string): Promise<Deployed> {
  const { site } = work;
  await using releases = await openReleases(site);
  const found = await lstat(releases.at(name)).catch(() => null);
  if (!found?.isDirectory()) throw new Refusal(`releases/${name} is not there any more; deploy its commit again`);
  const refused = await goLive(work, name, await currentOf(site));
  return refused ?? { kind: "live", release: { path: `releases/${name}` } };
}

/** Switches and restarts; what was live before is put back when that does not succeed. Null when the release is live. */
async function goLive(work: Work, name: string, before: string | null): Promise<Extract<Deployed, { kind: "refused" }> | null> {
  const { site, io } = work;
  io.stop.throwIfAborted();
  await switchTo(site, name);
  await say(io, `current now points at releases/${name}.`);
  const failure = await restart(work, name, io).catch(async (error) => {
    await putBack(work, before);
    throw error;
  });
  if (failure === null) return null;
  if (before === null) return { kind: "refused", reason: `${failure}, and there is no release before it`, live: "unknown" };
  const isBack = await putBack(work, before);
  if (isBack) return { kind: "refused", reason: `${failure}; releases/${before} is live again`, live: "unchanged" };
  const reason = `${failure}; current points at releases/${before} again, but the restart failed there too`;
  return { kind: "refused", reason, live: "unknown" };
}

/** How long the release that is put back may take to restart, in milliseconds: nobody can cancel it any more. */
const patience = 60_000;

async function putBack(work: Work, before: string | null): Promise<boolean> {
  if (before === null) return false;
  await switchTo(work.site, before);
  await say(work.io, `current points at releases/${before} again.`);
  const stop = AbortSignal.timeout(patience);
  return (await restart(work, before, { write: work.io.write, stop }).catch(String)) === null;
}

async function copyInto(folder: Folder, tree: Tree, releases: Folder, last: string | null, stop: AbortSignal): Promise<Copied> {
  const lastFolder = last === null || nameOf(`releases/${last}`) === null ? null : await releases.enter(last).catch(() => null);
  try {
    return await copyTree(tree, folder, lastFolder, stop);
  } finally {
    await lastFolder?.[Symbol.asyncDispose]();
  }
}

function said({ linked, ...copied }: Copied, name: string): string {
  const unchanged = linked === 0 ? "" : `; ${linked} did not change since the last release`;
  return `Copied ${sayAmount(copied)} to releases/${name}${unchanged}.`;
}

async function say(io: Pick<Io, "write">, sentence: string): Promise<void> {
  await io.write(Buffer.from(`${sentence}\n`));
}
