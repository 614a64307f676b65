import { constants, copyFile, open, symlink } from "node:fs/promises";
import type { Folder } from "./folder.ts";
import { inParallel } from "./in-parallel.ts";
import type { Tree } from "./source.ts";

/**
 * Copies a tree into an empty folder, never following a link; files become 0644 or 0755, folders 0755. Where the file system can, a file shares
 * its blocks with the original. Nothing is synchronised to the disk: a machine that loses power loses the deployment too, which is `lost` then.
 * Throws the reason of `stop` between two files.
 */
export async function copyTree(tree: Tree, into: Folder, stop: AbortSignal): Promise<void> {
  await inParallel(tree.files, async ({ name, mode }) => {
    stop.throwIfAborted();
    const copy = into.at(name);
    // EXCL: a link that is already there is not followed.
    await copyFile(`${tree.path}/${name}`, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    const wanted = mode & 0o100 ? 0o755 : 0o644;
    if ((mode & 0o7777) !== wanted) await changeMode(copy, wanted);
  });
  for (const { name, target } of tree.links) await symlink(target, into.at(name));
  for (const { name, tree: inner } of tree.folders) {
    stop.throwIfAborted();
    await using folder = await into.make(name);
    await copyTree(inner, folder, stop);
  }
}

/** `chmod` itself would follow a link. */
async function changeMode(path: string, mode: number): Promise<void> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  await file.chmod(mode);
}
