import type { Lost, Outcome, Run } from "../../../runs/run.ts";
import type { Look } from "./icons.ts";

/** How a run looks now. */
export function lookOf(run: Run): Look {
  return run.state === "finished" ? lookOfOutcome(run.outcome) : run.state;
}

/** An outcome is its own look. */
export function lookOfOutcome(outcome: Outcome | Lost): Look {
  return outcome.kind;
}

/** A look in one word, for titles and lists. */
export const wordFor: Readonly<Record<Look, string>> = {
  passed: "Passed",
  failed: "Failed",
  errored: "Error",
  cancelled: "Cancelled",
  lost: "Lost",
  running: "Running",
  queued: "Queued",
  waiting: "Waiting",
};

/** What a run does, as a heading: `test`, `Deploy to staging`. */
export function nameOf(run: Run): string {
  if (run.kind === "check") return run.name;
  switch (run.task) {
    case "deploy":
      return `Deploy to ${run.environment}`;
    case "rollback":
      return `Roll back ${run.environment}`;
    case "teardown":
      return `Take down ${run.environment}`;
  }
}

/** The newest attempt's number; 0 before the first. */
export function newestAttempt(run: Run): number {
  switch (run.state) {
    case "waiting":
      return 0;
    case "queued":
      return run.earlierAttempts;
    case "running":
      return run.attempt.number;
    case "finished":
      return run.attempt?.number ?? 0;
  }
}
