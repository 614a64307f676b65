import { z } from "zod";
import {
  type Annotation,
  annotationsAtOnce,
  type CheckRunShown,
  createCheckRun,
  findCheckRun,
  updateCheckRun,
} from "../github/check-runs.ts";
import type { Repository } from "../github/repository.ts";
import { type CommitStatus, createCommitStatus } from "../github/statuses.ts";
import { annotationsOf } from "../runs/annotations.ts";
import { deciding } from "../runs/deciding.ts";
import { attemptsOf, checksOf, stepsOf } from "../runs/read.ts";
import { readingOf } from "../runs/readings.ts";
import type { CheckRun } from "../runs/run.ts";
import {
  annotationOf,
  annotationsOfFile,
  type Progress,
  progressOf,
  progressOfState,
  summaryOfCheck,
  summaryOfCommit,
} from "./check-run.ts";
import { aggregateStatus, checkStatus, fileStatus } from "./commit-status.ts";
import { commitUrl, runUrl } from "./links.ts";
import type { ReporterOptions } from "./reporter.ts";
import type { Report } from "./say.ts";

/** What a commit shows under one context, in the words of either of GitHub's two ways. */
interface Shown {
  readonly sha: string;
  readonly status: CommitStatus;
  /** Read only for a check run. */
  checkRun(): Promise<ForCheckRun>;
}

interface ForCheckRun extends Progress {
  readonly summary: string;
  readonly startedAt?: Date;
  readonly completedAt?: Date;
  readonly annotations: readonly Annotation[];
  /** GitHub only ever adds annotations, so each try of a check has a check run of its own. */
  readonly round: number;
}

/** Shows a check on its commit. */
export async function sayCheck(
  run: CheckRun,
  report: Report,
  repository: Repository,
  options: ReporterOptions,
): Promise<string | null> {
  const { database, contextPrefix } = options;
  const runs = await database.read((db) => checksOf(db, repository.id, run.sha));
  if (!deciding(runs).some(({ id }) => id === run.id)) return report.said;
  const link = runUrl(repository, run.id, options);
  const status = { context: `${contextPrefix}/${run.name}`, ...checkStatus(run), target_url: link };
  const checkRun = async (): Promise<ForCheckRun> => {
    const attempt = run.state === "running" || run.state === "finished" ? run.attempt : null;
    const { steps, tries } = await database.read(async (db) => ({
      steps: attempt === null ? [] : await stepsOf(db, run.id, attempt.number),
      tries: (await attemptsOf(db, run.id)).length,
    }));
    const said =
      run.state !== "finished" || attempt === null
        ? []
        : await annotationsOf(database, { run: run.id, attempt: attempt.number }, mostAnnotations);
    return {
      ...progressOf(run, status),
      summary: summaryOfCheck(run, steps, link),
      ...(attempt === null ? {} : { startedAt: attempt.startedAt }),
      ...(run.state === "finished" ? { completedAt: run.finishedAt } : {}),
      annotations: said.map(annotationOf),
      round: attempt?.number ?? tries + 1,
    };
  };
  return tell({ sha: run.sha, status, checkRun }, report, repository, options);
}

/** Four requests; who has more to say says it in the log. */
const mostAnnotations = 4 * annotationsAtOnce;

/** Shows the one context that stands for all checks of a commit. */
export async function sayAggregate(
  sha: string,
  report: Report,
  repository: Repository,
  options: ReporterOptions,
): Promise<string | null> {
  const { runs, reading } = await options.database.read(async (db) => ({
    runs: await checksOf(db, repository.id, sha),
    reading: await readingOf(db, repository.id, sha),
  }));
  const shown = aggregateStatus(runs, reading);
  if (shown === null) return report.said;
  const linkOf = (run: CheckRun) => runUrl(repository, run.id, options);
  const [run, ...others] = deciding(runs);
  const link = run !== undefined && others.length === 0 ? linkOf(run) : commitUrl(repository, sha, options);
  const status = { context: options.contextPrefix, ...shown, target_url: link };
  const checkRun = async () => ({
    ...progressOfState(shown.state),
    summary: summaryOfCommit(shown.description, runs, linkOf),
    annotations: [],
    round: 1,
  });
  return tell({ sha, status, checkRun }, report, repository, options);
}

/** Shows what is wrong in a commit's repository file, or what its edit changes. */
export async function sayFile(
  sha: string,
  report: Report,
  repository: Repository,
  options: ReporterOptions,
): Promise<string | null> {
  const reading = await options.database.read((db) => readingOf(db, repository.id, sha));
  const shown = fileStatus(reading, report.said !== null);
  if (shown === null) return report.said;
  const link = commitUrl(repository, sha, options);
  const status = { context: `${options.contextPrefix}/config`, ...shown, target_url: link };
  const checkRun = async () => ({
    ...progressOfState(shown.state),
    summary: summaryOfCommit(shown.description, [], () => link),
    annotations: annotationsOfFile(reading),
    round: 1,
  });
  return tell({ sha, status, checkRun }, report, repository, options);
}

/** What began as a commit status ends as one, and what began as a check run too: GitHub would wait for ever for the other. */
async function tell(shown: Shown, report: Report, repository: Repository, options: ReporterOptions): Promise<string> {
  const said: unknown = report.said === null ? null : JSON.parse(report.said);
  const before = keptOfCheckRun.safeParse(said).data ?? null;
  const asCheckRun = said === null ? options.showChecksAs === "check-runs" : before !== null;
  if (asCheckRun) return tellCheckRun(shown, { before, ...report }, repository, options);
  const words = JSON.stringify(shown.status);
  if (words !== report.said) {
    await createCommitStatus(options.github.as(repository.installation), repository, shown.sha, shown.status);
  }
  return words;
}

/** What is kept of a check run that was said. */
const keptOfCheckRun = z.object({
  check_run: z.int(),
  round: z.int(),
  completed: z.boolean(),
  annotations: z.int(),
  words: z.string(),
});

/**
 * After a failure GitHub is asked for the check run before one is created, and how many annotations it has before any are added: neither
 * is idempotent there.
 */
async function tellCheckRun(
  { sha, status, checkRun }: Shown,
  { before, key, attempts }: Pick<Report, "key" | "attempts"> & { readonly before: z.infer<typeof keptOfCheckRun> | null },
  repository: Repository,
  { github, appId }: ReporterOptions,
): Promise<string> {
  const { round, annotations, summary, startedAt, completedAt, ...progress } = await checkRun();
  const same = before !== null && (before.round === round || !before.completed) ? before : null;
  const name = status.context;
  // One that goes on in the next try, as after a restart, is found by that from then on.
  const externalId = `${key} ${round}`;
  const shown: CheckRunShown = {
    name,
    details_url: status.target_url,
    external_id: externalId,
    ...progress,
    ...(startedAt === undefined ? {} : { started_at: startedAt.toISOString() }),
    ...(completedAt === undefined ? {} : { completed_at: completedAt.toISOString() }),
    output: { title: status.description, summary },
  };
  const words = JSON.stringify(shown);
  const kept = { round, completed: progress.status === "completed", words };
  if (same?.words === words && same.annotations >= annotations.length) return JSON.stringify({ ...same, ...kept });

  const installation = github.as(repository.installation);
  const found = attempts > 1 ? await findCheckRun(installation, repository, { sha, name, externalId, app: appId }) : null;
  let id = found?.id ?? same?.check_run ?? null;
  let told = found?.annotations ?? same?.annotations ?? 0;
  do {
    const some = annotations.slice(told, told + annotationsAtOnce);
    const next = { ...shown, output: { ...shown.output, annotations: some } };
    if (id === null) id = await createCheckRun(installation, repository, sha, next);
    else await updateCheckRun(installation, repository, id, next);
    told += some.length;
  } while (told < annotations.length);
  return JSON.stringify({ check_run: id, ...kept, annotations: told });
}
