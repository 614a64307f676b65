import type { DeploymentRun } from "../runs/run.ts";

/** Whether a commit is in the history of another one; a commit is in its own. */
export type IsInHistoryOf = (ancestor: string, descendant: string) => boolean;

export interface Superseded {
  readonly run: number;
  /** The commit that takes its place. */
  readonly by: string;
}

/** What an environment's order is decided from. */
export interface Lane {
  readonly unfinished: readonly DeploymentRun[];
  /** Runs that what is there now comes from: the one that passed last, and one that failed after the switch since. */
  readonly standing: readonly DeploymentRun[];
  /** The automatic deployment that was wished for last and has ended, however it did. */
  readonly newest: DeploymentRun | null;
  /** Runs that people said yes to. */
  readonly approved: ReadonlySet<number>;
}

/**
 * Which waiting deployments of one environment are overtaken. Order is that of the commits, not of arrival: nothing automatic
 * goes back behind what is live or ahead of it, one that arrives late means the newest that was here before it, and a newer one
 * supersedes those that wait, never the one that runs, and never an approved one by one that is not.
 */
export function overtaken(lane: Lane, isInHistoryOf: IsInHistoryOf): readonly Superseded[] {
  const waiting = lane.unfinished.filter((run) => run.task === "deploy" && (run.state === "waiting" || run.state === "queued"));
  return waiting.flatMap((run) => {
    const by = whoOvertakes(run, lane, isInHistoryOf);
    return by === null ? [] : [{ run: run.id, by }];
  });
}

function whoOvertakes(
  run: DeploymentRun,
  { unfinished, standing, newest, approved }: Lane,
  isInHistoryOf: IsInHistoryOf,
): string | null {
  const there = standing.find((other) => run.automatic && isInHistoryOf(run.sha, other.sha));
  if (there !== undefined) return there.sha;
  const isLate = run.automatic && !approved.has(run.id) && newest !== null && newest.id < run.id;
  if (isLate && isInHistoryOf(run.sha, newest.sha)) return newest.sha;
  const ahead = unfinished.find((other) => other.id !== run.id && isAheadOf(other, run, approved, isInHistoryOf));
  return ahead === undefined ? null : ahead.sha;
}

function isAheadOf(
  other: DeploymentRun,
  run: DeploymentRun,
  approved: ReadonlySet<number>,
  isInHistoryOf: IsInHistoryOf,
): boolean {
  if (other.task !== "deploy" || !isInHistoryOf(run.sha, other.sha)) return false;
  // The same commit twice: what a person asked for stays, and of two equals the first.
  if (other.sha === run.sha) return run.automatic && (!other.automatic || other.id < run.id);
  const mayWait = other.state !== "running";
  if (mayWait && approved.has(run.id) && !approved.has(other.id)) return false;
  // A person who asks for an older commit while a newer one is on its way means it.
  return run.automatic || other.id > run.id;
}
