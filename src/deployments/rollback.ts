import type { Query, Transaction } from "../database/connection.ts";
import type { Repository } from "../github/repository.ts";
import type { EnvironmentPlan, RepositoryFile } from "../repository-file/repository-file.ts";
import { createDeploymentRun } from "../runs/births.ts";
import { liveRun, unfinishedDeployments } from "../runs/read.ts";
import type { Cause, DeploymentRun } from "../runs/run.ts";
import { short } from "../runs/sentences.ts";
import { configurationOf, type DeploymentConfiguration } from "./configuration.ts";
import { lockEnvironment } from "./locks.ts";
import type { AskingMeans } from "./means.ts";
import { type Refusal, refused } from "./refusal.ts";
import { rulesOf } from "./rules.ts";
import { lastSwitched, releasesOf } from "./standing.ts";

export interface RollbackOrder {
  readonly repository: Repository;
  readonly environment: string;
  /** A commit that was live, by at least 7 digits; without it the release before the one that is live. */
  readonly to?: string;
  readonly by: string;
  /** Why; it becomes the reason of the lock. */
  readonly reason: string;
  readonly cause: Cause;
}

/** What can be written now; `start` may still refuse, since the world goes on meanwhile. */
export interface Prepared {
  readonly kind: "ready";
  start(tx: Transaction): Promise<Started | Refusal>;
}

export interface Started {
  readonly kind: "started";
  readonly run: number;
  readonly sha: string;
}

/**
 * Prepares to put back a release that was live: reads GitHub, writes nothing. `start` makes a deployment of its own that waits for the
 * lane only, and locks the environment until somebody unlocks it. The caller has made sure that the person may do it.
 */
export async function prepareRollback(means: AskingMeans, order: RollbackOrder): Promise<Prepared | Refusal> {
  const { repository, environment } = order;
  const file = await fileNow(means, repository);
  if (file !== null && file.environments[environment] === undefined)
    return refused("unknown environment", `the default branch's file has no environment "${environment}"`);
  if (file?.environments[environment]?.trigger === "pull_request")
    return refused("unknown environment", `${environment} is for previews: push a commit that works instead`);
  return { kind: "ready", start: (tx) => startByHand(tx, order, file) };
}

/** The same in one step; `record` writes the history in the same transaction. */
export async function rollBack(
  means: AskingMeans,
  order: RollbackOrder,
  record: (tx: Transaction, started: Started) => Promise<void>,
): Promise<Started | Refusal> {
  const prepared = await prepareRollback(means, order);
  if (prepared.kind === "refused") return prepared;
  return means.database.write(async (tx) => {
    const started = await prepared.start(tx);
    if (started.kind === "started") await record(tx, started);
    return started;
  });
}

async function startByHand(tx: Transaction, order: RollbackOrder, file: RepositoryFile | null): Promise<Started | Refusal> {
  const { repository, environment, by, reason, cause } = order;
  const underWay = await unfinishedDeployments(tx.db, { repository: repository.id, environment });
  if (underWay.some((run) => run.task === "rollback")) return refused("under way", `${environment} is being rolled back already`);
  const found = await releaseToPutBack(tx.db, order);
  if ("because" in found) return found;
  const run = await createRollback(tx, { to: found, today: file?.environments[environment] ?? null, file, by, reason, cause });
  if (run === null) return refused("under way", `${environment} is being rolled back already`);
  return { kind: "started", run, sha: found.sha };
}

/** The release that a person means. Repeating a rollback goes one release further back, never forth again. */
async function releaseToPutBack(
  db: Query,
  { repository, environment, to }: Pick<RollbackOrder, "repository" | "environment" | "to">,
  farBack?: number,
): Promise<DeploymentRun | Refusal> {
  const releases = await releasesOf(db, repository.id, environment, farBack);
  const [live] = releases;
  if (live === undefined) return refused("nothing to do", `nothing was ever live on ${environment}`);
  const last = await lastSwitched(db, repository.id, environment);
  const isUncertain = last !== null && last.id !== live.id;
  if (to !== undefined) {
    if (!/^[0-9a-f]{7,40}$/i.test(to)) return refused("unknown commit", "name the commit by at least 7 digits of its SHA");
    const meant = releases.filter((run) => run.sha.startsWith(to.toLowerCase()));
    const [newest] = meant;
    if (newest === undefined) return refused("unknown commit", `${short(to)} was never live on ${environment}`);
    if (meant.some((run) => run.sha !== newest.sha))
      return refused("unknown commit", `several commits that were live begin with ${to}; write more of its digits`);
    if (newest.sha === live.sha && !isUncertain)
      return refused("nothing to do", `${short(live.sha)} is live on ${environment} already`);
    return newest;
  }
  if (isUncertain) return live;
  const before = releases
    .slice(releases.indexOf(originOf(live, releases)) + 1)
    .find((run) => run.sha !== live.sha && run.task === "deploy");
  return before ?? refused("nothing to do", `nothing was live on ${environment} before ${short(live.sha)}`);
}

/** The release that a rollback would put back now if nobody names one; `null` when there is none. */
export async function releaseBefore(db: Query, repository: Repository, environment: string): Promise<DeploymentRun | null> {
  const found = await releaseToPutBack(db, { repository, environment }, fewReleases);
  return "because" in found ? null : found;
}

/** Enough for who looks; who acts has all of them looked at. */
const fewReleases = 20;

/** The deployment that first put in place what a rollback put back. */
function originOf<R extends DeploymentRun>(run: R, releases: readonly R[]): R {
  const before = configurationOf(run)?.rollback?.run;
  const origin = releases.find((other) => other.id === before);
  return origin === undefined || origin.id >= run.id ? run : originOf(origin, releases);
}

interface NewRollback {
  readonly to: DeploymentRun;
  /** Of the default branch; `null` when it cannot be read: then what the release itself was deployed with counts. */
  readonly today: EnvironmentPlan | null;
  readonly file: RepositoryFile | null;
  readonly by: string | null;
  readonly reason: string;
  readonly cause: Cause;
}

/** Makes the run and the lock. `null` when the same is under way. */
export async function createRollback(
  tx: Transaction,
  { to, today, file, by, reason, cause }: NewRollback,
): Promise<number | null> {
  const before = configurationOf(to);
  if (before === null || to.state !== "finished" || to.outcome.kind !== "passed") return null;
  const configuration: DeploymentConfiguration = {
    ...before,
    // Today's host; but how the old commit is built, and when it is healthy, it says itself.
    plan: today === null ? before.plan : { ...today, build: before.plan.build, health: before.plan.health },
    rules: (file === null ? null : rulesOf(file, to.environment)) ?? before.rules,
    override: null,
    rollback: { run: to.id, target: before.plan.target, release: to.outcome.live?.release ?? null },
    unwanted: [],
    teardown: null,
  };
  const run = await createDeploymentRun(tx, {
    cause,
    repository: to.repository,
    sha: to.sha,
    ref: to.ref,
    pullRequest: null,
    title: `Roll ${to.environment} back to ${short(to.sha)}: ${reason}`,
    author: null,
    person: by,
    environment: to.environment,
    task: "rollback",
    automatic: false,
    github: null,
    configuration,
    start: { state: "waiting", gates: [{ kind: "order" }] },
  });
  if (run === null) return null;
  const why = `rolled back to ${short(to.sha)}: ${reason}`;
  await lockEnvironment(tx, { repository: to.repository, environment: to.environment, by: by ?? "Signalbox", reason: why });
  return run;
}

/** What failed longer ago than this, in milliseconds, a person has seen: nothing is done about it by itself any more. */
export const newEnough = 24 * 60 * 60_000;

/**
 * A deployment that failed after the switch in an environment with `rollback: automatic`, and the release that was live before; `null`
 * when there is none, or it was answered: once. Decided from what is written down, so a crash in between changes nothing.
 */
export async function dueRollback(
  tx: Transaction,
  repository: number,
  environment: string,
): Promise<{ readonly failed: Extract<DeploymentRun, { state: "finished" }>; readonly to: DeploymentRun } | null> {
  const failed = await lastSwitched(tx.db, repository, environment);
  if (failed?.task !== "deploy" || failed.outcome.kind !== "failed") return null;
  if (failed.finishedAt.getTime() <= tx.now - newEnough) return null;
  if (configurationOf(failed)?.rules.rollback !== "automatic") return null;
  const to = await liveRun(tx.db, repository, environment);
  if (to === null) return null;
  const answer = tx.db
    .selectFrom("run")
    .select("id")
    .where("repository", "=", repository)
    .where("name", "=", environment)
    .where("task", "=", "rollback")
    .where("id", ">", failed.id)
    .limit(1);
  return (await answer.executeTakeFirst()) === undefined ? { failed, to } : null;
}

/** The default branch's file; `null` when it cannot be read, or GitHub does not answer: putting back what was live must not wait for that. */
async function fileNow({ loadFile, log }: AskingMeans, repository: Repository): Promise<RepositoryFile | null> {
  try {
    const loaded = await loadFile(repository, repository.defaultBranch);
    return loaded.kind === "file" ? loaded.file : null;
  } catch (error) {
    log.warn({ err: error, repository: repository.id }, "rolling back without the default branch's file");
    return null;
  }
}
