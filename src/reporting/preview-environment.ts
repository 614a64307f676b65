import type { Database } from "../database/connection.ts";
import { deleteEnvironment } from "../github/deployments.ts";
import { GitHubProblem } from "../github/problem.ts";
import type { Repository } from "../github/repository.ts";
import { runsOfPreview, standing } from "../runs/previews.ts";
import { subjectToText } from "../runs/reports.ts";
import type { DeploymentRun } from "../runs/run.ts";
import type { ReporterOptions } from "./reporter.ts";
import type { Report } from "./say.ts";

/** Something else has to be said first. */
export const notYet = Symbol("not yet");

export interface SayingOptions extends ReporterOptions {
  /** Installations whose missing permission was said in the log. */
  readonly mayNotDelete: Set<number>;
}

/**
 * Deletes a preview's environment at GitHub when nothing of the preview is left and each of its deployments is shown as it ended. Without the
 * permission it stays, inactive, and that is said once.
 */
export async function sayEnvironment(
  name: string,
  report: Report,
  repository: Repository,
  { database, github, log, mayNotDelete }: SayingOptions,
): Promise<string | null | typeof notYet> {
  const runs = await database.read((db) => runsOfPreview(db, repository.id, name));
  const last = runs.at(-1);
  const isThere = runs.some(({ state }) => state !== "finished") || standing(runs).length > 0;
  const words = JSON.stringify({ deleted: last?.id });
  if (last === undefined || isThere || report.said === words) return report.said;
  if (await isSomethingUnsaid(database, repository.id, runs)) return notYet;
  // It was over before GitHub heard of it.
  if (runs.every((run) => run.github === null)) return report.said;
  try {
    await deleteEnvironment(github.as(repository.installation), repository, name);
  } catch (error) {
    if (!(error instanceof GitHubProblem) || error.kind !== "forbidden") throw error;
    if (!mayNotDelete.has(repository.installation))
      log.warn(
        { installation: repository.installation },
        "the environments of previews that are over stay at GitHub, inactive: the App lacks the permission administration: write",
      );
    mayNotDelete.add(repository.installation);
  }
  return words;
}

/** A status that comes after the environment was deleted would make it anew. */
async function isSomethingUnsaid(database: Database, repository: number, runs: readonly DeploymentRun[]): Promise<boolean> {
  const subjects = runs.map(({ id }) => subjectToText(repository, { kind: "run", id }));
  const unsaid = await database.read((db) =>
    db
      .selectFrom("report")
      .select("subject")
      .where("subject", "in", subjects)
      .whereRef("sent", "<", "wanted")
      .limit(1)
      .executeTakeFirst(),
  );
  return unsaid !== undefined;
}
