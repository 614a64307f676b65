import { lstat, mkdir, readdir, readlink, realpath, rename, rm, symlink } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { spawnCommand } from "../../process/spawn.ts";
import { nameOf } from "../release/names.ts";
import { isWithin } from "../release/paths.ts";
import { Refusal } from "../release/refusal.ts";
import { OperatorProblem } from "../target.ts";
import { Folder } from "./folder.ts";
import { type Allowed, leadsElsewhere, meetsNoFolder } from "./plan.ts";

/**
 * Opens the folder that `destination` leads to, making what is missing. Links on the way are followed as long as they end below an allowed
 * folder; each remaining part is then entered by itself, so that a link that appears meanwhile is refused too.
 */
export async function openSite(destination: string, path: string, order: Allowed): Promise<Folder> {
  await mkdir(order.allowedPaths[0], { recursive: true });
  try {
    const real = await realAsFarAsItExists(destination);
    const root = (await realFolders(destination, order.allowedPaths)).find((allowed) => isWithin(allowed, real));
    if (root === undefined) throw leadsElsewhere(path, order);
    return await enterEach(await Folder.open(root), relative(root, real).split("/").filter(Boolean));
  } catch (error) {
    if (isNoFolder(error)) throw meetsNoFolder(path, order);
    throw error;
  }
}

/** The allowed folders without links. Ours was made just now; one that the operator names is not, since it may be a disk that is not there today. */
async function realFolders(destination: string, allowedPaths: readonly string[]): Promise<readonly string[]> {
  const folders = await Promise.all(allowedPaths.map(async (allowed) => ({ allowed, real: await realOrNull(allowed) })));
  const missing = folders.find(({ allowed, real }) => real === null && isWithin(allowed, destination));
  if (missing) {
    const fix = "Create it, writable for the server's user, or take it out of DEPLOY_PATHS";
    throw new OperatorProblem(`${missing.allowed} does not exist`, fix);
  }
  return folders.flatMap(({ real }) => (real === null ? [] : [real]));
}

async function enterEach(root: Folder, parts: readonly string[]): Promise<Folder> {
  let folder = root;
  for (const part of parts) {
    await using outer = folder;
    folder = await outer.make(part);
  }
  return folder;
}

/** Opens the site's `releases`, and refuses a site that is not laid out as ours are. */
export async function openReleases(site: Folder): Promise<Folder> {
  const current = await lstat(site.at("current")).catch(ignoreMissing);
  if (current && !current.isSymbolicLink())
    throw new Refusal("the path holds something named current that is not a link to a release; move it away or use another path");
  return site.make("releases").catch((error) => {
    if (!isNoFolder(error)) throw error;
    throw new Refusal("the path holds something named releases that is not a folder; move it away or use another path");
  });
}

/** Gives a release that is complete its name. */
export async function finishRelease(releases: Folder, part: string, name: string): Promise<void> {
  await rename(releases.at(part), releases.at(name));
}

/** Makes `current` point at a release, in one step: who reads finds the old one or the new one. */
export async function switchTo(site: Folder, release: string): Promise<void> {
  await rm(site.at(".current.part"), { force: true });
  await symlink(`releases/${release}`, site.at(".current.part"));
  await rename(site.at(".current.part"), site.at("current"));
}

/** The name of the release that `current` points at; null when there is none, or it is none of ours. */
export async function currentOf(site: Folder): Promise<string | null> {
  return nameOf(await readlink(site.at("current")).catch(() => ""));
}

/** The names of what lies in `releases`, finished or not. */
export function entriesOf(releases: Folder): Promise<string[]> {
  return readdir(releases.at());
}

/** Removes a release; renamed first, so that what a crash leaves of it is no release any more. False when that was not possible. */
export async function removeRelease(releases: Folder, name: string): Promise<boolean> {
  const old = `.part-old-${name}`;
  const renamed = rename(releases.at(name), releases.at(old));
  return renamed.then(
    () => remove(releases, old),
    () => false,
  );
}

/** Removes an entry with all in it; false when that was not possible. By `rm`, because unlike Node's it cannot be led elsewhere by a link that appears meanwhile. */
export async function remove(releases: Folder, name: string): Promise<boolean> {
  const command = {
    argv: ["rm", "-rf", "--", name],
    cwd: releases.at(),
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
  } as const;
  const ending = await spawnCommand(command, { write: async () => {}, stop: new AbortController().signal });
  return ending.kind === "exited" && ending.code === 0;
}

async function realAsFarAsItExists(path: string): Promise<string> {
  const real = await realOrNull(path);
  if (real !== null || path === "/") return real ?? path;
  return join(await realAsFarAsItExists(dirname(path)), basename(path));
}

function realOrNull(path: string): Promise<string | null> {
  return realpath(path).catch(ignoreMissing);
}

function ignoreMissing(error: unknown): null {
  if (Error.isError(error) && "code" in error && error.code === "ENOENT") return null;
  throw error;
}

function isNoFolder(error: unknown): boolean {
  return Error.isError(error) && "code" in error && (error.code === "ENOTDIR" || error.code === "ELOOP");
}
