import { inThread } from "../release/thread.ts";
import type { Tree } from "../release/tree.ts";
import type { Folder } from "./folder.ts";

/** What one release took. */
export interface Copied {
  readonly files: number;
  readonly bytes: number;
  /** Files that are the very same as in the release before: they take no room of their own. */
  readonly linked: number;
}

/** What `copying.ts` is asked to do; paths lead through folders that are held open meanwhile. */
export interface CopyOrder {
  readonly tree: Tree;
  readonly into: string;
  /** The release that is live. */
  readonly last: string | null;
}

/**
 * Copies a tree into an empty folder, never following a link; files become 0644 or 0755, folders 0755. A file whose content is that of the
 * last release is linked to it instead, by reading both: what somebody changed there by hand is never taken over. Nothing is synchronised
 * to the disk: a machine that loses power loses the deployment too, which is `lost` then. Throws the reason of `stop`.
 */
export function copyTree(tree: Tree, into: Folder, last: Folder | null, stop: AbortSignal): Promise<Copied> {
  const order: CopyOrder = { tree, into: into.at(), last: last?.at() ?? null };
  return inThread<Copied>(new URL("./copying.ts", import.meta.url), order, stop);
}
