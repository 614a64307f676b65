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
import type { Progress } from "./check-run.ts";
import type { ReporterOptions } from "./reporter.ts";
import type { Report } from "./say.ts";

/** What a commit shows under one context, in the words of either of GitHub's two ways. */
export interface Shown {
  readonly sha: string;
  readonly status: CommitStatus;
  /** Read only for a check run. */
  checkRun(): Promise<ForCheckRun>;
}

export interface ForCheckRun extends Progress {
  readonly summary: string;
  readonly startedAt?: Date;
  readonly completedAt?: Date;
  readonly annotations: readonly Annotation[];
  /** GitHub only ever adds annotations, so each try of a check has a check run of its own. */
  readonly round: number;
}

/** What began as a commit status ends as one, and what began as a check run too: GitHub would wait for ever for the other. */
export async function tell(shown: Shown, report: Report, repository: Repository, options: ReporterOptions): Promise<string> {
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
