import { type Dirent, lstatSync } from "node:fs";
import { lstat, readdir, readlink, realpath } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { inParallel } from "./in-parallel.ts";
import { isWithin, staysInside } from "./paths.ts";
import { Refusal } from "./refusal.ts";

/** What a release is made of. Paths are absolute and lie in the workspace. */
export interface Tree {
  readonly path: string;
  readonly files: readonly { readonly name: string; readonly mode: number; readonly size: number }[];
  readonly links: readonly { readonly name: string; readonly target: string }[];
  readonly folders: readonly { readonly name: string; readonly tree: Tree }[];
}

/** Looks through the folder `from` of the built checkout, copying nothing. Throws a `Refusal` for what cannot be part of a release. */
export async function survey(workspace: string, from: string, stop: AbortSignal): Promise<Tree> {
  const root = await realpath(workspace);
  const folder = await folderIn(root, from);
  return surveyFolder(folder, "", 0, stop);
}

async function folderIn(root: string, from: string): Promise<string> {
  const said = `from: ${JSON.stringify(from)}`;
  const allowed = "use a folder of the built checkout, such as dist";
  if (from.includes("\0")) throw new Refusal(`${said} holds a NUL; ${allowed}`);
  const asked = resolve(root, from);
  if (!isWithin(root, asked)) throw new Refusal(`${said} leads out of the checkout; ${allowed}`);
  const real = await realpath(asked).catch((error) => {
    if (Error.isError(error) && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return null;
    throw error;
  });
  if (real === null) throw new Refusal(`${said} does not exist in the built checkout; does the build make it?`);
  if (!isWithin(root, real)) throw new Refusal(`${said} is a link out of the checkout; ${allowed}`);
  if (relative(root, real).split("/")[0] === ".git") throw new Refusal(`${said} is git's own folder; ${allowed}`);
  if (!(await lstat(real)).isDirectory()) throw new Refusal(`${said} is not a folder; ${allowed}`);
  return real;
}

/** Each level holds a folder open while it is copied, and a path may have 4,096 bytes. */
const deepest = 200;

async function surveyFolder(path: string, inRelease: string, depth: number, stop: AbortSignal): Promise<Tree> {
  if (depth > deepest) throw new Refusal(`${inRelease} lies deeper than ${deepest} folders`);
  stop.throwIfAborted();
  const entries = (await readdir(path, { withFileTypes: true })).filter(({ name }) => depth > 0 || name !== ".git");
  for (const entry of entries) refuseStrange(entry, join(inRelease, entry.name));
  const files = await measured(
    path,
    entries.filter((entry) => entry.isFile()),
  );
  const links = await inParallel(
    entries.filter((entry) => entry.isSymbolicLink()),
    async ({ name }) => {
      const target = await readlink(join(path, name));
      if (!staysInside(join(inRelease, name), target))
        throw new Refusal(
          `${join(inRelease, name)} is a link out of the release, to ${JSON.stringify(target)}; remove it or copy the file`,
        );
      return { name, target };
    },
  );
  const folders: { name: string; tree: Tree }[] = [];
  for (const { name } of entries.filter((entry) => entry.isDirectory()))
    folders.push({ name, tree: await surveyFolder(join(path, name), join(inRelease, name), depth + 1, stop) });
  return { path, files, links, folders };
}

/** Others have their turn after each hundred: what was just written is answered from memory, and through the thread pool takes ten times as long. */
async function measured(path: string, files: readonly Dirent[]): Promise<Tree["files"]> {
  const found: { name: string; mode: number; size: number }[] = [];
  for (const [index, { name }] of files.entries()) {
    if (index % 100 === 99) await setImmediate();
    const { mode, size } = lstatSync(join(path, name));
    found.push({ name, mode, size });
  }
  return found;
}

function refuseStrange(entry: Dirent, inRelease: string): void {
  // What Node reads in place of bytes that are no UTF-8 names another file, or none.
  if (entry.name.includes("\uFFFD")) throw new Refusal(`the name of ${JSON.stringify(inRelease)} is not UTF-8; rename it`);
  if (entry.isFile() || entry.isDirectory() || entry.isSymbolicLink()) return;
  throw new Refusal(`${inRelease} is no file, folder or link; a release cannot hold it`);
}
