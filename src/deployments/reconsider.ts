import type { Transaction } from "../database/connection.ts";
import { findRepository, type Repository } from "../github/repository.ts";
import type { Loaded } from "../repository-file/load.ts";
import { cancel, enqueue } from "../runs/queue.ts";
import { unfinishedDeployments } from "../runs/read.ts";
import type { DeploymentRun, Gate, Run, Some } from "../runs/run.ts";
import { rollBackFailed } from "./automatic-rollback.ts";
import { ancestryOf, learnTrees } from "./commits.ts";
import { configurationOf } from "./configuration.ts";
import { factsOf } from "./facts.ts";
import { isApproved, shutGates } from "./gates.ts";
import type { DeploymentMeans } from "./means.ts";
import { openOrExplain } from "./open-or-explain.ts";
import { overtaken, type Superseded } from "./order.ts";
import { mayStartPreview } from "./previews/reconsider.ts";
import { promoteLive } from "./promote.ts";
import { dueRollback } from "./rollback.ts";
import { type Rules, rulesOf } from "./rules.ts";
import { newestEnded, standingRuns } from "./standing.ts";

/**
 * Thinks a repository's deployments through: rolls back what failed, promotes what is live, cancels what was overtaken, and queues what no
 * gate holds back. The only way from waiting to queued. One at a time per repository; safe to repeat, and decided from what is true now.
 */
export async function reconsider(means: DeploymentMeans, repositoryId: number): Promise<void> {
  const { database } = means;
  const repository = await database.read((db) => findRepository(db, repositoryId));
  if (repository === null || !repository.active) return;
  const gating = await means
    .loadFile(repository, repository.defaultBranch)
    .catch((error: unknown) => ({ kind: "unread" as const, error }));
  // Putting back what was live waits for nothing, not even for GitHub.
  await rollBackFailed(means, repository, gating.kind === "file" ? gating.file : null);
  await queueRollbacks(means, repositoryId);
  await reconsiderGated(means, repository, gating);
}

async function queueRollbacks({ database }: DeploymentMeans, repository: number): Promise<void> {
  const unfinished = await database.read((db) => unfinishedDeployments(db, { repository }));
  for (const run of unfinished.filter(({ task, state }) => task === "rollback" && state === "waiting"))
    await database.write((tx) => enqueue(tx, run.id, null));
}

async function reconsiderGated(
  means: DeploymentMeans,
  repository: Repository,
  gating: Loaded | { readonly kind: "unread"; readonly error: unknown },
): Promise<void> {
  if (gating.kind === "unread") throw gating.error;
  // Without a readable file nobody can say what holds a deployment back, so it waits: a gate fails closed.
  if (gating.kind !== "file") return;
  await promoteLive(means, repository, gating.file);
  const unfinished = await means.database.read((db) => unfinishedDeployments(db, { repository: repository.id }));
  const waiting = unfinished.filter((run) => run.state === "waiting");
  if (waiting.length === 0) return;
  await learnTrees(means, repository, waiting);
  for (const environment of new Set(waiting.map((run) => run.environment))) {
    const rules = rulesOf(gating.file, environment);
    // An environment that left the file is never written to; its deployments wait for it to come back or to be cancelled.
    if (rules !== null) await reconsiderEnvironment(means, repository, environment, rules);
  }
}

async function reconsiderEnvironment(
  means: DeploymentMeans,
  repository: Repository,
  environment: string,
  rules: Rules,
): Promise<void> {
  const { database } = means;
  const lane = await database.write(async (tx) => {
    const unfinished = await unfinishedDeployments(tx.db, { repository: repository.id, environment });
    return {
      unfinished,
      standing: await standingRuns(tx.db, repository.id, environment),
      newest: await newestEnded(tx.db, repository.id, environment),
      approved: await approvedOf(tx, unfinished, rules),
    };
  });
  const { unfinished, standing, newest } = lane;
  const isInHistoryOf = await ancestryOf(means, repository, [...unfinished, ...standing, ...(newest === null ? [] : [newest])]);
  const superseded = new Map(overtaken(lane, isInHistoryOf).map((one) => [one.run, one]));
  for (const run of unfinished) {
    const one = superseded.get(run.id);
    if (one !== undefined) await supersede(means, run, one, rules, lane.approved);
    else if (run.state === "waiting" && run.task === "deploy")
      await openOrExplain(means, repository, run, rules, standing.at(-1)?.id ?? null);
  }
}

async function approvedOf(tx: Transaction, runs: readonly DeploymentRun[], rules: Rules): Promise<ReadonlySet<number>> {
  const approved = new Set<number>();
  for (const run of runs) {
    const before = run.state === "waiting" || run.state === "queued" ? configurationOf(run) : null;
    // Where nobody is asked for a yes nobody has given one: no facts are needed to know that.
    if (before === null || (rules.approvals === null && before.override === null)) continue;
    const configuration = { ...before, rules };
    if (isApproved(configuration, await factsOf(tx, run, configuration))) approved.add(run.id);
  }
  return approved;
}

/** Unless people have approved it meanwhile: their yes has rung, and it is thought through again. */
async function supersede(
  { database }: DeploymentMeans,
  run: DeploymentRun,
  { by }: Superseded,
  rules: Rules,
  approvedBefore: ReadonlySet<number>,
): Promise<void> {
  await database.write(async (tx) => {
    const approvedNow = await approvedOf(tx, [run], rules);
    if (approvedNow.has(run.id) && !approvedBefore.has(run.id)) return;
    await cancel(tx, run.id, { kind: "superseded", by });
  });
}

/** Decides once more, within the claim, whether a queued run may start. Checks always may; only what our database knows counts here. */
export async function mayStart(tx: Transaction, run: Run): Promise<"may start" | Some<Gate>> {
  if (run.kind === "check" || run.task === "rollback") return "may start";
  if (run.preview !== null) return mayStartPreview(tx, run);
  const configuration = configurationOf(run);
  if (configuration === null) return "may start";
  const standing = await standingRuns(tx.db, run.repository, run.environment);
  if ((standing.at(-1)?.id ?? null) !== run.judgedAgainst) return [{ kind: "order" }];
  // What failed after the switch is put back first.
  if ((await dueRollback(tx, run.repository, run.environment)) !== null) return [{ kind: "order" }];
  const [first, ...rest] = shutGates(configuration, await factsOf(tx, run, configuration));
  return first === undefined ? "may start" : [first, ...rest];
}
