import type { Database } from "../database/connection.ts";
import type { Repository } from "../github/repository.ts";
import type { GitSource } from "../process/checkout.ts";
import type { Workspace, Workspaces } from "../process/workspace.ts";
import type { RunIo, RunningCheck } from "../runs/execute.ts";
import { short } from "../runs/sentences.ts";

interface Means {
  readonly database: Database;
  readonly workspaces: Workspaces;
  gitSource(repository: Repository): GitSource;
  readonly repository: Repository;
  readonly run: RunningCheck;
  readonly io: RunIo;
}

/** A check-out that is made when somebody wants it: a runner elsewhere needs none. */
export function lazyCheckout({ database, workspaces, gitSource, repository, run, io }: Means): {
  /** Checks the commit out as a step of the log; the second time it is the same. */
  enter(): Promise<Workspace>;
  /** Removes it again, if there is one. Rejects when that fails; what failed on the way in, `enter` has told. */
  leave(): Promise<void>;
} {
  const left = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<Workspace>();
  let stay: Promise<void> | null = null;
  let isIn = false;

  async function begin(): Promise<void> {
    const step = await io.step(`Check out ${short(run.sha)}`);
    const holder = `run-${run.id}-${run.attempt.number}`;
    await workspaces.with({ source: gitSource(repository), sha: run.sha, holder, stop: io.stop }, async (workspace) => {
      await step.end(null);
      isIn = true;
      entered.resolve(workspace);
      // Beside the work, which does not wait for it.
      const kept = keepTree(database, run, workspace);
      await Promise.allSettled([kept, left.promise]);
      await kept;
    });
  }

  return {
    enter() {
      if (stay === null) {
        stay = begin();
        stay.catch(entered.reject);
      }
      return entered.promise;
    },
    async leave() {
      left.resolve();
      await stay?.catch((error) => {
        if (isIn) throw error;
      });
    },
  };
}

/** Equal trees need no second check, so the tree is kept with the run. */
async function keepTree(database: Database, run: RunningCheck, workspace: Workspace): Promise<void> {
  if (run.tree !== null) return;
  const tree = await workspace.tree();
  await database.write((tx) => tx.db.updateTable("run").set({ tree }).where("id", "=", run.id).execute());
}
