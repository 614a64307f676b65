import type { DeploymentRun } from "../runs/run.ts";

/** Whether a commit is in the history of another one; a commit is in its own. */
export type IsInHistoryOf = (ancestor: string, descendant: string) => boolean;

export interface Superseded {
  readonly run: number;
  /** The commit that takes its place. */
  readonly by: string;
}

/**
 * Which waiting deployments of one environment are overtaken. Order is that of the commits, not of arrival: nothing automatic
 * goes back behind what is live or ahead of it, and a newer one supersedes those that wait, never the one that runs.
 */
export function overtaken(
  unfinished: readonly DeploymentRun[],
  live: DeploymentRun | null,
  isInHistoryOf: IsInHistoryOf,
): readonly Superseded[] {
  const waiting = unfinished.filter((run) => run.task === "deploy" && (run.state === "waiting" || run.state === "queued"));
  return waiting.flatMap((run) => {
    const by = whoOvertakes(run, unfinished, live, isInHistoryOf);
    return by === null ? [] : [{ run: run.id, by }];
  });
}

function whoOvertakes(
  run: DeploymentRun,
  unfinished: readonly DeploymentRun[],
  live: DeploymentRun | null,
  isInHistoryOf: IsInHistoryOf,
): string | null {
  if (run.automatic && live !== null && isInHistoryOf(run.sha, live.sha)) return live.sha;
  const ahead = unfinished.find((other) => other.id !== run.id && isAheadOf(other, run, isInHistoryOf));
  return ahead === undefined ? null : ahead.sha;
}

function isAheadOf(other: DeploymentRun, run: DeploymentRun, isInHistoryOf: IsInHistoryOf): boolean {
  if (other.task !== "deploy" || !isInHistoryOf(run.sha, other.sha)) return false;
  // The same commit twice: what a person asked for stays, and of two equals the first.
  if (other.sha === run.sha) return run.automatic && (!other.automatic || other.id < run.id);
  // A person who asks for an older commit while a newer one is on its way means it.
  return run.automatic || other.id > run.id;
}
