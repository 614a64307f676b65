import type { Database } from "../database/connection.ts";
import { findRepository, type Repository } from "../github/repository.ts";
import type { GitSource } from "../process/checkout.ts";
import { GitError } from "../process/git.ts";
import { makeScratch, type Sandbox, sandboxed } from "../process/sandbox.ts";
import { spawnCommand } from "../process/spawn.ts";
import type { Workspace, Workspaces } from "../process/workspace.ts";
import type { EnvironmentPlan } from "../repository-file/repository-file.ts";
import { renderOptions, renderUrl, type TemplateFacts } from "../repository-file/template.ts";
import type { RunIo, RunningDeployment } from "../runs/execute.ts";
import type { Outcome } from "../runs/run.ts";
import { durationInWords, short } from "../runs/sentences.ts";
import { type AnyTarget, OperatorProblem } from "../targets/target.ts";
import { configurationOf } from "./configuration.ts";

/** What this room needs of the world to execute a deployment. */
export interface ExecutionMeans {
  readonly database: Database;
  readonly workspaces: Workspaces;
  readonly targets: ReadonlyMap<string, AnyTarget>;
  readonly sandbox: Sandbox;
  readonly mark: Readonly<Record<string, string>>;
  readonly toolsPaths: readonly string[];
  gitSource(repository: Repository): GitSource;
  /** Absolute folders that a repository's deployments may write; the first is its own. */
  allowedPaths(repository: Repository): readonly [string, ...string[]];
}

/** Executes a deployment: checks the commit out, builds it and hands it to its target. */
export async function executeDeployment(means: ExecutionMeans, run: RunningDeployment, io: RunIo): Promise<Outcome> {
  const repository = await means.database.read((db) => findRepository(db, run.repository));
  const configuration = configurationOf(run);
  if (repository === null || configuration === null) return { kind: "errored", what: "the repository is not known any more" };
  const { plan } = configuration;
  const target = means.targets.get(plan.target);
  if (target === undefined) return { kind: "errored", what: `this server has no target "${plan.target}"` };

  const timeout = AbortSignal.timeout(plan.timeout);
  const stop = AbortSignal.any([io.stop, timeout]);
  const order = { source: means.gitSource(repository), sha: run.sha, holder: `run-${run.id}-${run.attempt.number}`, stop };
  try {
    const checkout = await io.step(`Check out ${short(run.sha)}`);
    return await means.workspaces.with(order, async (workspace) => {
      await checkout.end(null);
      const surroundings = { means, run, repository, workspace, plan, io: { ...io, stop } };
      return (await build(surroundings)) ?? (await deploy(surroundings, target));
    });
  } catch (error) {
    if (io.stop.aborted) throw error;
    if (timeout.aborted) return { kind: "failed", what: `timed out after ${durationInWords(plan.timeout)}` };
    if (error instanceof OperatorProblem) return { kind: "errored", what: error.message, fix: error.fix };
    if (error instanceof GitError && error.failure === "gone")
      return { kind: "failed", what: `${short(run.sha)} does not exist at GitHub any more` };
    throw error;
  }
}

interface Surroundings {
  readonly means: ExecutionMeans;
  readonly run: RunningDeployment;
  readonly repository: Repository;
  readonly workspace: Workspace;
  readonly plan: EnvironmentPlan;
  readonly io: RunIo;
}

/** Runs `build:` where it finds no secret; `null` when it succeeded or there is none. */
async function build({ means, run, repository, workspace, plan, io }: Surroundings): Promise<Outcome | null> {
  if (plan.build === null) return null;
  const step = await io.step("Build");
  const scratch = `${workspace.folder}.home`;
  await makeScratch(scratch);
  const cell = {
    workspace: workspace.folder,
    scratch,
    readable: [workspace.objects, ...means.toolsPaths],
    writable: [],
    network: true,
    env: environmentOf(run, repository),
    path: means.toolsPaths.map((folder) => `${folder}/bin`),
    mark: means.mark,
  };
  const ending = await spawnCommand(sandboxed(means.sandbox, cell, ["/bin/sh", "-e", "-c", plan.build]), io);
  await step.end(ending.kind === "exited" ? ending.code : null);
  switch (ending.kind) {
    case "exited":
      return ending.code === 0 ? null : { kind: "failed", what: `the build exited with ${ending.code}`, exitCode: ending.code };
    case "killed":
      return { kind: "failed", what: `the build was killed by ${ending.signal}` };
    case "missing":
      return { kind: "errored", what: `${ending.program} is not installed on the server` };
    case "stopped":
      throw ending.reason;
  }
}

async function deploy({ means, run, repository, workspace, plan, io }: Surroundings, target: AnyTarget): Promise<Outcome> {
  const facts: TemplateFacts = {
    pullRequest: run.pullRequest,
    sha: run.sha,
    ref: run.ref ?? run.sha,
    environment: run.environment,
    repository,
  };
  const order = {
    sha: run.sha,
    environment: run.environment,
    repository: { owner: repository.owner, name: repository.name },
    workspace: workspace.folder,
    readable: [workspace.objects, ...means.toolsPaths],
    path: means.toolsPaths.map((folder) => `${folder}/bin`),
    sandbox: means.sandbox,
    mark: means.mark,
    env: environmentOf(run, repository),
    allowedPaths: means.allowedPaths(repository),
  };
  const step = await io.step(`Deploy to ${run.environment}`);
  const deployed = await target.deploy(renderOptions(plan.with, facts), order, io);
  await step.end(null);
  switch (deployed.kind) {
    case "live": {
      const url = plan.url === null ? deployed.url : renderUrl(plan.url, facts);
      return { kind: "passed", live: { release: deployed.release, ...(url === undefined ? {} : { url }) } };
    }
    case "refused":
      return { kind: "failed", what: deployed.reason };
  }
}

function environmentOf(run: RunningDeployment, { owner, name }: Repository): Readonly<Record<string, string>> {
  return {
    CI: "true",
    SIGNALBOX: "true",
    SIGNALBOX_REPOSITORY: `${owner}/${name}`,
    SIGNALBOX_SHA: run.sha,
    SIGNALBOX_REF: run.ref ?? run.sha,
    SIGNALBOX_ENVIRONMENT: run.environment,
  };
}
