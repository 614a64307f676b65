import { lstat, readdir, realpath } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";

/**
 * The folders and files below a folder of the checkout, a folder before what lies in it; or a sentence for the author. What is in a checkout
 * comes from the repository and is not to be trusted: a link could lead to any file of the server.
 */
export async function filesOf(workspace, from) {
  const root = await realpath(workspace);
  const folder = await realpath(join(root, from)).catch(() => null);
  if (folder === null) return `from: "${from}" does not exist in the built checkout`;
  const way = relative(root, folder);
  if (way.split("/")[0] === ".." || isAbsolute(way)) return `from: "${from}" leads out of the checkout`;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (name.split("/")[0] === ".git") continue;
    if (entry.isSymbolicLink()) return `${name} is a link; replace it by the file`;
    if (entry.isDirectory()) found.push({ kind: "folder", name });
    else if (entry.isFile()) found.push({ kind: "file", name, path, size: (await lstat(path)).size });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}
