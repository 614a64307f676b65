import { planChecks } from "../checks/plan.ts";
import { startChecks } from "../checks/start.ts";
import type { Transaction } from "../database/connection.ts";
import { findRepository, type Repository } from "../github/repository.ts";
import { cancel, enqueue, keepWaiting } from "../runs/queue.ts";
import { checksOf, checksOfTree, liveRun, unfinishedDeployments } from "../runs/read.ts";
import type { DeploymentRun, Gate, Run, Some } from "../runs/run.ts";
import { ancestryOf, learnTrees } from "./commits.ts";
import { configurationOf, type DeploymentConfiguration } from "./configuration.ts";
import { type Facts, shutGates } from "./gates.ts";
import type { DeploymentMeans } from "./means.ts";
import { overtaken } from "./order.ts";
import { promoteLive } from "./promote.ts";

/**
 * Thinks a repository's deployments through: promotes what is live, cancels what was overtaken, and queues what no gate holds
 * back. The only way from waiting to queued. One at a time per repository; safe to repeat, and decided from what is true now.
 */
export async function reconsider(means: DeploymentMeans, repositoryId: number): Promise<void> {
  const { database } = means;
  const repository = await database.read((db) => findRepository(db, repositoryId));
  if (repository === null || !repository.active) return;
  const gating = await means.loadFile(repository, repository.defaultBranch);
  // Without a readable file nobody can say what holds a deployment back, so it waits: a gate fails closed.
  if (gating.kind !== "file") return;
  await promoteLive(means, repository, gating.file);
  const unfinished = await database.read((db) => unfinishedDeployments(db, { repository: repositoryId }));
  const waiting = unfinished.filter((run) => run.state === "waiting");
  if (waiting.length === 0) return;
  await learnTrees(means, repository, waiting);
  for (const environment of new Set(waiting.map((run) => run.environment))) {
    const rules = gating.file.environments[environment];
    // An environment that left the file is never written to; its deployments wait for it to come back or to be cancelled.
    if (rules === undefined) continue;
    await reconsiderEnvironment(means, repository, environment, { requireChecks: rules.requireChecks, after: rules.after });
  }
}

async function reconsiderEnvironment(
  means: DeploymentMeans,
  repository: Repository,
  environment: string,
  rules: DeploymentConfiguration["rules"],
): Promise<void> {
  const { database } = means;
  const { unfinished, live } = await database.read(async (db) => ({
    unfinished: await unfinishedDeployments(db, { repository: repository.id, environment }),
    live: await liveRun(db, repository.id, environment),
  }));
  const isInHistoryOf = await ancestryOf(means, repository, live === null ? unfinished : [...unfinished, live]);
  const superseded = new Map(overtaken(unfinished, live, isInHistoryOf).map(({ run, by }) => [run, by]));
  for (const run of unfinished) {
    const by = superseded.get(run.id);
    if (by !== undefined) await database.write((tx) => cancel(tx, run.id, { kind: "superseded", by }));
    else if (run.state === "waiting") await openOrExplain(means, repository, run, rules, live?.id ?? null);
  }
}

async function openOrExplain(
  means: DeploymentMeans,
  repository: Repository,
  run: DeploymentRun,
  rules: DeploymentConfiguration["rules"],
  judgedAgainst: number | null,
): Promise<void> {
  const before = configurationOf(run);
  if (before === null) return;
  const configuration = { ...before, rules };
  const gates = await means.database.write(async (tx) => {
    await tx.db
      .updateTable("run")
      .set({ configuration: JSON.stringify(configuration) })
      .where("id", "=", run.id)
      .execute();
    const shut = shutGates(configuration, await factsOf(tx, run, configuration));
    const [first, ...rest] = shut;
    if (first === undefined) await enqueue(tx, run.id, judgedAgainst);
    else await keepWaiting(tx, run.id, [first, ...rest]);
    return shut;
  });
  if (gates.some(hasMissingChecks)) await checkTheCommitItself(means, repository, run);
}

function hasMissingChecks(gate: Gate): boolean {
  return gate.kind === "checks" && gate.notGreen.some(({ state }) => state === "missing");
}

/** Nothing with this tree was checked: its checks run on the very commit that is to be deployed. */
async function checkTheCommitItself(
  { database, loadFile }: DeploymentMeans,
  repository: Repository,
  run: DeploymentRun,
): Promise<void> {
  const loaded = await loadFile(repository, run.sha);
  if (loaded.kind !== "file") return;
  const { sha, ref, pullRequest, title, person } = run;
  const commit = {
    cause: { kind: "run" as const, id: run.id },
    repository: repository.id,
    sha,
    ref,
    pullRequest,
    title,
    person,
    trust: "own" as const,
  };
  await database.write((tx) => startChecks(tx, commit, planChecks(loaded.file, null), false));
}

async function factsOf(tx: Transaction, run: DeploymentRun, { rules }: DeploymentConfiguration): Promise<Facts> {
  // The tree may have been learned after the run was read.
  const row = await tx.db.selectFrom("run").select("tree").where("id", "=", run.id).executeTakeFirst();
  const own = await checksOf(tx.db, run.repository, run.sha);
  const sameTree = row?.tree == null ? [] : await checksOfTree(tx.db, run.repository, row.tree);
  return {
    sha: run.sha,
    checks: [...own, ...sameTree],
    passedPrevious: rules.after !== null && (await hasPassed(tx, run, rules.after)),
  };
}

async function hasPassed(tx: Transaction, { repository, sha }: DeploymentRun, environment: string): Promise<boolean> {
  const passed = await tx.db
    .selectFrom("run")
    .select("id")
    .where("repository", "=", repository)
    .where("name", "=", environment)
    .where("sha", "=", sha)
    .where("kind", "=", "deployment")
    .where("state", "=", "finished")
    .where("outcome", "like", '{"kind":"passed"%')
    .limit(1)
    .executeTakeFirst();
  return passed !== undefined;
}

/** Decides once more, within the claim, whether a queued run may start. Checks always may; only what our database knows counts here. */
export async function mayStart(tx: Transaction, run: Run): Promise<"may start" | Some<Gate>> {
  if (run.kind === "check") return "may start";
  const configuration = configurationOf(run);
  if (configuration === null) return "may start";
  const live = await liveRun(tx.db, run.repository, run.environment);
  if ((live?.id ?? null) !== run.judgedAgainst) return [{ kind: "order" }];
  const [first, ...rest] = shutGates(configuration, await factsOf(tx, run, configuration));
  return first === undefined ? "may start" : [first, ...rest];
}
