import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { GitSource, Mirrors } from "./checkout.ts";
import { removeTree } from "./remove-tree.ts";

/** Where one run works. */
export interface Workspace {
  /** The checked-out commit, the run's own to write in. */
  readonly folder: string;
  /** The mirror's objects, which the checkout borrows: readable, never writable. */
  readonly objects: string;
  /** The commit's tree. Asking may take a process. */
  tree(): Promise<string>;
}

export interface WorkspaceOrder {
  readonly source: GitSource;
  readonly sha: string;
  /** Unlike that of any other run or attempt: it names the folder, and what holds the commit in the mirror. */
  readonly holder: string;
  readonly stop: AbortSignal;
}

/** Folders in which runs work; all of it may be thrown away when no server runs. */
export interface Workspaces {
  /** Checks a commit out, lets `work` use it, and removes it again whatever happened. */
  with<T>(order: WorkspaceOrder, work: (workspace: Workspace) => Promise<T>): Promise<T>;
  /** Removes what a dead server left. Call it before anything runs. */
  clear(): Promise<void>;
}

export function openWorkspaces(mirrors: Mirrors, folder: string): Workspaces {
  return {
    async with({ source, sha, holder, stop }, work) {
      const home = join(folder, holder);
      try {
        await mirrors.fetch(source, holder, [sha], stop);
        await mkdir(home, { recursive: true, mode: 0o700 });
        const workspace = join(home, "workspace");
        const { objects } = await mirrors.checkOut(source, holder, sha, workspace, stop);
        return await work({ folder: workspace, objects, tree: () => mirrors.treeOf(source, sha) });
      } finally {
        await removeTree(home);
        await mirrors.release(source.id, holder);
      }
    },
    async clear() {
      await removeTree(folder);
    },
  };
}
