import type { Query } from "../../database/connection.ts";
import { type PastStep, stepsOf } from "../../runs/read.ts";
import type { Run } from "../../runs/run.ts";
import { sentenceOf } from "../../runs/sentences.ts";
import type { Look } from "./pages/icons.ts";
import { lookOf, nameOf, newestAttempt, wordFor } from "./pages/look.ts";
import { webAddress } from "./web-address.ts";

/** What changes on a run's page while it is open: the page is drawn from it, and each change of it is sent to the browser. */
export interface RunNews {
  readonly look: Look;
  readonly word: string;
  readonly sentence: string;
  /** What the tab says. */
  readonly title: string;
  /** The attempt that is shown; 0 before the first. */
  readonly attempt: number;
  /** ISO 8601, as the next one. */
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly finished: boolean;
  /** Where the deployment is to be seen; `null` when it is not, or not yet. */
  readonly url: string | null;
  readonly steps: readonly StepNews[];
}

export interface StepNews {
  readonly number: number;
  readonly name: string;
  readonly look: Look;
  readonly word: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly firstLine: number;
}

/** The news of a run's newest attempt. */
export async function newsOf(db: Query, run: Run): Promise<RunNews> {
  const attempt = newestAttempt(run);
  const steps = attempt === 0 ? [] : await stepsOf(db, run.id, attempt);
  const look = lookOf(run);
  return {
    look,
    word: wordFor[look],
    sentence: sentenceOf(run),
    title: titleOf(run),
    attempt,
    ...newsTimes(run),
    finished: run.state === "finished",
    url: siteOf(run),
    steps: stepsNews(steps, look),
  };
}

function titleOf(run: Run): string {
  return `${wordFor[lookOf(run)]}: ${nameOf(run)}`;
}

/** When its newest attempt began and ended; ISO 8601. */
export function newsTimes(run: Run): { readonly startedAt: string | null; readonly finishedAt: string | null } {
  switch (run.state) {
    case "waiting":
    case "queued":
      return { startedAt: null, finishedAt: null };
    case "running":
      return { startedAt: run.attempt.startedAt.toISOString(), finishedAt: null };
    case "finished":
      return { startedAt: run.attempt?.startedAt.toISOString() ?? null, finishedAt: run.finishedAt.toISOString() };
  }
}

/** Where a deployment is to be seen. */
export function siteOf(run: Run): string | null {
  return run.state === "finished" && run.outcome.kind === "passed" ? webAddress(run.outcome.live?.url) : null;
}

/** The steps of an attempt, oldest first. One without an exit code that another one follows went well; the last takes the look of its attempt. */
export function stepsNews(steps: readonly PastStep[], attempt: Look): readonly StepNews[] {
  return steps.map((step, index) => stepNews(step, index < steps.length - 1 && step.finishedAt !== null ? "passed" : attempt));
}

function stepNews(step: PastStep, attempt: Look): StepNews {
  const look = lookOfStep(step, attempt);
  return {
    number: step.number,
    name: step.name,
    look,
    word: wordFor[look],
    startedAt: step.startedAt.toISOString(),
    finishedAt: step.finishedAt?.toISOString() ?? null,
    firstLine: step.firstLine,
  };
}

function lookOfStep({ finishedAt, exitCode }: PastStep, attempt: Look): Look {
  if (exitCode === 0) return "passed";
  if (exitCode !== null) return "failed";
  switch (attempt) {
    case "running":
      return finishedAt === null ? "running" : "passed";
    case "waiting":
    case "queued":
      return "cancelled";
    case "passed":
    case "failed":
    case "errored":
    case "cancelled":
    case "lost":
      return attempt;
  }
}
