import type { Database } from "../database/connection.ts";
import { findRepository, type Repository } from "../github/repository.ts";
import type { GitSource } from "../process/checkout.ts";
import { GitError } from "../process/git.ts";
import type { Sandbox } from "../process/sandbox.ts";
import type { Workspace, Workspaces } from "../process/workspace.ts";
import type { AnyRunner } from "../runners/runner.ts";
import type { RunIo, RunningCheck } from "../runs/execute.ts";
import type { Outcome } from "../runs/run.ts";
import { short } from "../runs/sentences.ts";
import { checkPlanOf } from "./configuration.ts";

/** What this room needs of the world to execute a check. */
export interface CheckMeans {
  readonly database: Database;
  readonly workspaces: Workspaces;
  readonly runners: ReadonlyMap<string, AnyRunner>;
  readonly sandbox: Sandbox;
  /** By which a dead server's processes are found. */
  readonly mark: Readonly<Record<string, string>>;
  /** Folders of the machine that every check may read; the `bin` of each comes first on PATH. */
  readonly toolsPaths: readonly string[];
  gitSource(repository: Repository): GitSource;
}

/** Executes one attempt of a check: checks the commit out and hands it to its runner. */
export async function executeCheck(means: CheckMeans, run: RunningCheck, io: RunIo): Promise<Outcome> {
  const repository = await means.database.read((db) => findRepository(db, run.repository));
  if (repository === null) return { kind: "errored", what: "the repository is not known any more" };
  const plan = checkPlanOf(run);
  const runner = means.runners.get(plan.runner);
  if (runner === undefined) return { kind: "errored", what: `this server has no runner "${plan.runner}"` };

  const checkout = await io.step(`Check out ${short(run.sha)}`);
  const order = {
    source: means.gitSource(repository),
    sha: run.sha,
    holder: `run-${run.id}-${run.attempt.number}`,
    stop: io.stop,
  };
  try {
    return await means.workspaces.with(order, async (workspace) => {
      await keepTree(means.database, run, workspace.tree);
      await checkout.end(null);
      const options =
        plan.runner === "local" ? { steps: plan.steps.map((step) => ({ name: step.name, run: step.run })) } : plan.with;
      return await runner.run(options, checkOrder(means, run, repository, workspace, plan.env, plan.timeout), io);
    });
  } catch (error) {
    if (!io.stop.aborted && error instanceof GitError && error.failure === "gone") {
      return { kind: "errored", what: `${short(run.sha)} does not exist at GitHub any more`, fix: "Push a new commit" };
    }
    throw error;
  }
}

/** Equal trees need no second check, so the tree is kept with the run. */
async function keepTree(database: Database, run: RunningCheck, tree: string): Promise<void> {
  if (run.tree === null) await database.write((tx) => tx.db.updateTable("run").set({ tree }).where("id", "=", run.id).execute());
}

function checkOrder(
  { sandbox, mark, toolsPaths }: CheckMeans,
  run: RunningCheck,
  repository: Repository,
  workspace: Workspace,
  env: Readonly<Record<string, string>>,
  timeout: number,
) {
  return {
    workspace: workspace.folder,
    readable: [workspace.objects, ...toolsPaths],
    path: toolsPaths.map((folder) => `${folder}/bin`),
    sandbox,
    mark,
    timeout,
    env: {
      CI: "true",
      SIGNALBOX: "true",
      SIGNALBOX_REPOSITORY: `${repository.owner}/${repository.name}`,
      SIGNALBOX_SHA: run.sha,
      ...(run.ref === null ? {} : { SIGNALBOX_REF: run.ref }),
      ...(run.pullRequest === null ? {} : { SIGNALBOX_PULL_REQUEST: String(run.pullRequest) }),
      SIGNALBOX_CHECK: run.name,
      ...env,
    },
  };
}
