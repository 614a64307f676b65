import { chmod, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Removes a folder even when what worked in it took its own folders' permissions away. Safe to repeat; links are removed, never followed. */
export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    if (!isPermission(error)) throw error;
    await openFolders(folder);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Gives the owner back the right to enter and change a folder and those in it. */
export async function openFolders(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    // A link is left alone: what it points to is not ours.
    if (entry.isDirectory()) await openFolders(join(folder, entry.name));
  }
}

function isPermission(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && (error.code === "EACCES" || error.code === "EPERM");
}
