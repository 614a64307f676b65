import { findRepository } from "../github/repository.ts";
import { GitError } from "../process/git.ts";
import type { Workspace } from "../process/workspace.ts";
import { renderOptions, renderUrl } from "../repository-file/template.ts";
import type { RunIo, RunningDeployment } from "../runs/execute.ts";
import type { Cancellation, Outcome } from "../runs/run.ts";
import { durationInWords, short } from "../runs/sentences.ts";
import { type Deployed, OperatorProblem } from "../targets/target.ts";
import { build } from "./build.ts";
import { configurationOf } from "./configuration.ts";
import { goOn } from "./go-on.ts";
import { orderOf, templateFactsOf } from "./hand-over.ts";
import { checkHealth } from "./health.ts";
import { takeDown } from "./previews/take-down.ts";
import { restore, unlessItsCommitIsDeployed } from "./restore.ts";
import type { ExecutionMeans, Work } from "./work.ts";

type LiveNow = Extract<Deployed, { kind: "live" }>;

/** Executes a deployment: checks the commit out, builds it, hands it to its target and asks whether it is healthy. A rollback puts the release back instead, where its target can; a teardown takes away what is there. */
export async function executeDeployment(means: ExecutionMeans, run: RunningDeployment, io: RunIo): Promise<Outcome> {
  const repository = await means.database.read((db) => findRepository(db, run.repository));
  const configuration = configurationOf(run);
  if (repository === null || configuration === null) return { kind: "errored", what: "the repository is not known any more" };
  const { plan } = configuration;
  const target = means.targets.get(plan.target);
  if (target === undefined) return { kind: "errored", what: `this server has no target "${plan.target}"` };

  const timeout = AbortSignal.timeout(plan.timeout);
  const facts = templateFactsOf(run, repository);
  const work = { means, run, repository, configuration, target, facts, io: { ...io, stop: AbortSignal.any([io.stop, timeout]) } };
  const hand: Hand = { isOut: false };
  const ended = await carryOut(work, hand).catch((error): Outcome => {
    if (io.stop.aborted) return brokenOff(io.stop, hand);
    if (timeout.aborted) {
      // Broken off in the middle: whether it had switched, nobody can tell.
      const what = `timed out after ${durationInWords(plan.timeout)}`;
      return { kind: "failed", what, ...(hand.isOut ? { switched: true } : {}) };
    }
    if (error instanceof OperatorProblem) return { kind: "errored", what: error.message, fix: error.fix };
    if (error instanceof GitError && error.failure === "gone")
      return { kind: "failed", what: `${short(run.sha)} does not exist at GitHub any more` };
    throw error;
  });
  if (ended.kind !== "live") return ended;
  return outcomeOf(work, ended, io).catch((error) => {
    if (io.stop.aborted) return brokenOff(io.stop, hand);
    throw error;
  });
}

/** Cancelled in the middle: where the target had it already, or it is live and asked for its health, nobody can tell what is live. Throws any other reason to stop. */
function brokenOff({ reason }: AbortSignal, { isOut }: Hand): Outcome {
  if (!isCancellation(reason)) throw reason;
  return { kind: "cancelled", because: reason, ...(isOut ? { switched: true } : {}) };
}

function isCancellation(reason: unknown): reason is Cancellation {
  return typeof reason === "object" && reason !== null && "kind" in reason;
}

/** Whether the commit was handed to its target. */
interface Hand {
  isOut: boolean;
}

async function carryOut(work: Work, hand: Hand): Promise<LiveNow | Outcome> {
  const { means, run, repository, io } = work;
  const holder = `run-${run.id}-${run.attempt.number}`;
  const { teardown } = work.configuration;
  if (teardown !== null) return takeDown(work, teardown, holder);
  hand.isOut = true;
  const done = await goOnOrBack(work, holder);
  if (done !== null) return endedOf(done);
  hand.isOut = false;
  const checkout = await io.step(`Check out ${short(run.sha)}`);
  const order = { source: means.gitSource(repository), sha: run.sha, holder, stop: io.stop };
  return means.workspaces.with(order, async (workspace) => {
    await checkout.end(null);
    const failed = await build(work, workspace);
    if (failed !== null) return failed;
    hand.isOut = true;
    return endedOf(await deploy(work, workspace));
  });
}

/** What needs no checkout: what was begun before this server started, and releases that were live. `null` when neither is there. */
async function goOnOrBack(work: Work, holder: string): Promise<Deployed | null> {
  const { rollback } = work.configuration;
  const wentOn = await goOn(work, holder);
  if (wentOn !== null) return rollback === null ? wentOn : unlessItsCommitIsDeployed(wentOn, work);
  return rollback === null ? null : restore(work, rollback, holder);
}

async function deploy(work: Work, { folder, objects }: Workspace): Promise<Deployed> {
  const { run, configuration, target, facts, io } = work;
  const step = await io.step(`Deploy to ${run.environment}`);
  const order = await orderOf(work, { workspace: folder, readable: [objects] });
  const deployed = await target.deploy(renderOptions(configuration.plan.with, facts), order, io);
  await step.end(null);
  return deployed;
}

function endedOf(deployed: Deployed): LiveNow | Outcome {
  if (deployed.kind === "live") return deployed;
  // When nobody knows what is live, the new release may be.
  return { kind: "failed", what: deployed.reason, ...(deployed.live === "unknown" ? { switched: true } : {}) };
}

/** It is live; whether it is well, its health says. */
async function outcomeOf({ means, configuration, facts }: Work, live: LiveNow, io: RunIo): Promise<Outcome> {
  const { url, health } = configuration.plan;
  if (health !== null) {
    const problem = await checkHealth(health, facts, io, { allow: means.settings.outboundAllow });
    if (problem !== null) return { kind: "failed", what: problem, switched: true };
  }
  const address = url === null ? live.url : renderUrl(url, facts);
  return { kind: "passed", live: { release: live.release, ...(address === undefined ? {} : { url: address }) } };
}
