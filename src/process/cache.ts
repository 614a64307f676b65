import { createHash, randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, readFile, rename, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { removeTree } from "./remove-tree.ts";
import { captureCommand } from "./spawn.ts";
import { turns } from "./turns.ts";

/** A folder that one check of one repository keeps from run to run. */
export interface CacheKey {
  readonly repository: number;
  readonly check: string;
  /** As the repository's file writes it. */
  readonly path: string;
}

/** A folder of a run: `path` below `root`, with no `..` in it. What is below `root` is hostile, so no link in it is followed. */
export interface CachePlace {
  readonly root: string;
  readonly path: string;
}

/** `occupied`: something is at the place already, or a link is on the way to it. */
export type Restored = "restored" | "nothing kept" | "occupied";

/** `missing`: there is no folder at the place. */
export type Kept = "kept" | "missing" | "too large";

/** Folders that outlive runs. Each call may be repeated, and called for the same key at once: then one waits for the other. */
export interface Caches {
  /** Puts a copy of what was kept, the run's own, at the place. Rejects with the reason of `stop`, or when it could not be copied. */
  restore(key: CacheKey, to: CachePlace, stop: AbortSignal): Promise<Restored>;
  /** Takes the folder away from the place and keeps it instead of what was kept before. Only when nothing of the run works any more. */
  keep(key: CacheKey, from: CachePlace): Promise<Kept>;
}

/** Bytes, as they lie on the disk. */
export interface CacheLimits {
  /** A larger folder is not kept. */
  readonly each: number;
  /** Beyond it, what was not used for longest goes. */
  readonly total: number;
}

/** Opens what is kept below a folder, which is made when needed. One server at a time: what a dead one left half done is removed as it is met. */
export function openCaches(folder: string, limits: CacheLimits = { each: 2 * 2 ** 30, total: 10 * 2 ** 30 }): Caches {
  const inTurn = turns<string>();
  const entryOf = (key: CacheKey) => {
    const { repository, check, path } = key;
    return `${repository}-${createHash("sha256")
      .update(JSON.stringify([check, path]))
      .digest("hex")
      .slice(0, 32)}`;
  };

  /** The oldest go first, but never what was kept just now. */
  async function makeRoom(newest: string): Promise<void> {
    const names = await readdir(folder);
    const entries = await Promise.all(names.map(async (name) => ({ name, ...(await readEntry(join(folder, name))) })));
    let total = entries.reduce((sum, { size }) => sum + size, 0);
    for (const { name, size } of entries.toSorted((a, b) => a.usedAt - b.usedAt)) {
      if (total <= limits.total) return;
      if (name === newest) continue;
      await inTurn(name, () => removeTree(join(folder, name)));
      total -= size;
    }
  }

  return {
    restore: (key, place, stop) =>
      inTurn(entryOf(key), async () => {
        const entry = join(folder, entryOf(key));
        if (!(await isFolder(join(entry, content)))) return "nothing kept";
        const to = await wayTo(place, "make");
        if (to === null || (await exists(to))) return "occupied";
        await copyTree(join(entry, content), to, stop).catch(async (error) => {
          await removeTree(to);
          throw error;
        });
        await utimes(entry, new Date(), new Date());
        return "restored";
      }),
    async keep(key, place) {
      const from = await wayTo(place, "look");
      if (from === null || !(await isFolder(from))) return "missing";
      const size = await measure(from);
      if (size > limits.each) return "too large";
      const name = entryOf(key);
      await inTurn(name, () => replace(join(folder, name), from, size));
      await makeRoom(name);
      return "kept";
    },
  };
}

const content = "content";
const sizeFile = "size";

/** A reader sees the folder of before or the new one; after a crash in between there is none, which is what a cache may do. */
async function replace(entry: string, from: string, size: number): Promise<void> {
  await mkdir(entry, { recursive: true, mode: 0o700 });
  for (const name of await readdir(entry)) if (name.startsWith(".part-")) await removeTree(join(entry, name));
  const [fresh, old] = [join(entry, `.part-${randomUUID()}`), join(entry, `.part-${randomUUID()}`)];
  await moveTree(from, fresh);
  if (await exists(join(entry, content))) await rename(join(entry, content), old);
  await writeFile(join(entry, sizeFile), String(size));
  await rename(fresh, join(entry, content));
  await removeTree(old);
  await utimes(entry, new Date(), new Date());
}

async function readEntry(entry: string): Promise<{ readonly size: number; readonly usedAt: number }> {
  const size = await readFile(join(entry, sizeFile), "utf8").catch(() => "0");
  const found = await lstat(entry).catch(() => null);
  return { size: Number(size), usedAt: found?.mtimeMs ?? 0 };
}

/** The whole path of a place, when each part on the way is a real folder; null otherwise. */
async function wayTo({ root, path }: CachePlace, missing: "make" | "look"): Promise<string | null> {
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) throw new Error(`"${path}" is no path below a folder`);
  let at = root;
  for (const part of parts.slice(0, -1)) {
    at = join(at, part);
    if (missing === "make") await mkdir(at, { mode: 0o700 }).catch(unlessExists);
    if (!(await isFolder(at))) return null;
  }
  return join(at, parts.at(-1) ?? "");
}

async function moveTree(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    // The work may lie on another disk.
    if (!hasCode(error, "EXDEV")) throw error;
    await copyTree(from, to);
    await removeTree(from);
  }
}

/** Links are copied as links. */
async function copyTree(from: string, to: string, stop?: AbortSignal): Promise<void> {
  await run(["cp", "-a", "--reflink=auto", "-T", "--", from, to], stop);
}

/** Rejects for a folder with parts that cannot be read: nobody knows how large they are. */
async function measure(folder: string): Promise<number> {
  return Number.parseInt(await run(["du", "-sk", "--", folder]), 10) * 1024;
}

/** By a program of its own: tens of thousands of files must not keep the server busy. */
async function run(argv: readonly [string, ...string[]], stop?: AbortSignal): Promise<string> {
  const env = { PATH: process.env.PATH ?? "", LC_ALL: "C" };
  const { ending, output, errors } = await captureCommand({ argv, cwd: "/", env }, { stop });
  if (ending.kind === "stopped") throw ending.reason;
  if (ending.kind === "exited" && ending.code === 0) return output;
  throw new Error(`${argv[0]} failed on a cache: ${errors.trim().slice(0, 500) || "it did not say why"}`);
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isDirectory() ?? false;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}

function unlessExists(error: unknown): void {
  if (!hasCode(error, "EEXIST")) throw error;
}

function hasCode(error: unknown, code: string): boolean {
  return Error.isError(error) && "code" in error && error.code === code;
}
