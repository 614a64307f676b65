import { annotationsAtOnce } from "../github/check-runs.ts";
import type { Repository } from "../github/repository.ts";
import { annotationsOf } from "../runs/annotations.ts";
import { deciding } from "../runs/deciding.ts";
import { attemptsOf, checksOf, stepsOf } from "../runs/read.ts";
import { readingOf } from "../runs/readings.ts";
import type { CheckRun } from "../runs/run.ts";
import { annotationOf, annotationsOfFile, progressOf, progressOfState, summaryOfCheck, summaryOfCommit } from "./check-run.ts";
import { aggregateStatus, checkStatus, fileStatus } from "./commit-status.ts";
import { commitUrl, runUrl } from "./links.ts";
import type { ReporterOptions } from "./reporter.ts";
import type { Report } from "./say.ts";
import { type ForCheckRun, tell } from "./tell-context.ts";

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
