import { createDeployment, createDeploymentStatus, findDeployment } from "../github/deployments.ts";
import type { Repository } from "../github/repository.ts";
import { runsOfPreview, takenDownBy } from "../runs/previews.ts";
import { findRun, liveRun } from "../runs/read.ts";
import type { Subject } from "../runs/reports.ts";
import type { DeploymentRun } from "../runs/run.ts";
import { shorten } from "../runs/sentences.ts";
import { deploymentStatus } from "./deployment-status.ts";
import { runUrl } from "./links.ts";
import { sayPreviews } from "./preview-comment.ts";
import { type notYet, type SayingOptions, sayEnvironment } from "./preview-environment.ts";
import type { ReporterOptions } from "./reporter.ts";
import { sayAggregate, sayCheck, sayFile } from "./say-checks.ts";

export interface Report {
  readonly key: string;
  readonly subject: Subject;
  readonly repository: number;
  readonly wanted: number;
  readonly said: string | null;
  /** Including this one; above 1 an earlier one may have reached GitHub without our hearing of it. */
  readonly attempts: number;
}

/** Says to GitHub what is true of the subject now, unless that was what it said last. Returns what it said, or that its time has not come yet. */
export async function say(
  report: Report,
  repository: Repository,
  options: SayingOptions,
): Promise<string | null | typeof notYet> {
  const { subject } = report;
  switch (subject.kind) {
    case "run": {
      const run = await options.database.read((db) => findRun(db, subject.id));
      if (run === null) return report.said;
      if (run.kind === "check") return sayCheck(run, report, repository, options);
      // Nothing is deployed by it: what it took away says so.
      return run.task === "teardown" ? report.said : sayDeployment(run, report, repository, options);
    }
    case "commit":
      return sayAggregate(subject.sha, report, repository, options);
    case "file":
      return sayFile(subject.sha, report, repository, options);
    case "previews":
      return sayPreviews(subject.pullRequest, report, repository, options);
    case "environment":
      return sayEnvironment(subject.name, report, repository, options);
  }
}

async function sayDeployment(
  run: DeploymentRun,
  report: Report,
  repository: Repository,
  options: ReporterOptions,
): Promise<string | null> {
  const { database, github } = options;
  const installation = github.as(repository.installation);
  const id = run.github ?? (await createAtGitHub(run, report, repository, options));
  // It was over before GitHub heard of it: there is nothing to show.
  if (id === null) return report.said;
  const { live, down } = await database.read(async (db) => ({
    live: await liveRun(db, repository.id, run.environment),
    down: run.preview === null ? null : takenDownBy(run, await runsOfPreview(db, repository.id, run.environment, run.id)),
  }));
  const link = runUrl(repository, (down ?? run).id, options);
  const status = { ...deploymentStatus(run, live?.id === run.id, down), log_url: link };
  const words = JSON.stringify(status);
  if (words !== report.said) await createDeploymentStatus(installation, repository, id, status);
  return words;
}

/** Creating is not idempotent at GitHub, so after a failure it is asked what exists before anything is created again. */
async function createAtGitHub(
  run: DeploymentRun,
  report: Report,
  repository: Repository,
  { database, github }: ReporterOptions,
): Promise<number | null> {
  const installation = github.as(repository.installation);
  const existing =
    report.attempts > 1
      ? await findDeployment(installation, repository, { sha: run.sha, environment: run.environment, run: run.id })
      : null;
  if (existing === null && run.state === "finished" && run.attempt === null) return null;
  const id =
    existing ??
    (await createDeployment(installation, repository, {
      sha: run.sha,
      task: run.task,
      environment: run.environment,
      description: shorten(run.title ?? `${run.task} ${run.environment}`, 140),
      production: run.environment === "production",
      transient: run.preview !== null,
      payload: { signalbox: { run: run.id }, ...about(run) },
    }));
  await database.write((tx) => tx.db.updateTable("run").set({ github: id }).where("id", "=", run.id).execute());
  return id;
}

/** For whoever reads the deployment: a chat bot, a dashboard, the next person on call. */
function about({ pullRequest, author, person, preview }: DeploymentRun): Readonly<Record<string, unknown>> {
  if (preview !== null) return { pull_request: { number: pullRequest, author } };
  return pullRequest === null ? { requested_by: person } : { pull_request: { number: pullRequest, author, merged_by: person } };
}
