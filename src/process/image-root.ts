import { type Dirent, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { ImageProblem } from "./image-problem.ts";

/** The unpacked files of an image, in place of the machine's own, and what its author wants a command to know. */
export interface ImageRoot {
  /** Never written to once it is there. What lies in it is hostile. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** bubblewrap takes 9,000 arguments in all, and each bind has three. */
const mostEntries = 2_000;

/**
 * Says bubblewrap how an image's files appear, but for the paths that are ours. A folder in which something of ours will lie is made anew, with the
 * image's entries bound into it one by one: so nothing of ours is ever created through a link that the image brings along, and none of its devices appears.
 */
export function imageArguments(folder: string, ours: readonly string[]): readonly string[] {
  const args = entriesBelow(folder, "", ours);
  if (args.length > 3 * mostEntries)
    throw new ImageProblem(`the image has more than ${mostEntries} entries in its uppermost folders and in /etc`);
  return args;
}

function entriesBelow(folder: string, at: string, ours: readonly string[]): readonly string[] {
  return readdirSync(join(folder, at), { withFileTypes: true }).flatMap((entry) => {
    const path = `${at}/${entry.name}`;
    if (ours.includes(path)) return [];
    if (!ours.some((own) => own.startsWith(`${path}/`))) return bound(folder, path, entry);
    // A file or a link gives way.
    return entry.isDirectory() ? entriesBelow(folder, path, ours) : [];
  });
}

function bound(folder: string, path: string, entry: Dirent): readonly string[] {
  if (entry.isSymbolicLink()) return ["--symlink", readlinkSync(join(folder, path)), path];
  return entry.isDirectory() || entry.isFile() ? ["--ro-bind", join(folder, path), path] : [];
}
