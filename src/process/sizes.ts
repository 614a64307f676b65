import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** What a folder's files take on the disk, in bytes; what goes away meanwhile counts nothing. */
export async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let total = 0;
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const file = await lstat(join(entry.parentPath, entry.name)).catch(() => null);
    // Blocks of 512 bytes, whatever the file system's own are.
    total += (file?.blocks ?? 0) * 512;
  }
  return total;
}
