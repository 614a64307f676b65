import type { Ending } from "./endings.ts";

/** What teams ask of an environment. Durations in milliseconds; `null` where there was nothing to measure. */
export interface Numbers {
  /** The oldest first, one for each day. */
  readonly days: readonly Day[];
  readonly deployments: number;
  /** Median from the merge to the moment it is live. */
  readonly leadTime: number | null;
  /** Median from the start of a deployment to its end. */
  readonly duration: number | null;
  /** Of those that ended by themselves, from 0 to 1. */
  readonly failureRate: number | null;
  /** Median from a failure to the next success. */
  readonly timeToRecover: number | null;
}

export interface Day {
  /** UTC midnight, epoch milliseconds. */
  readonly start: number;
  readonly passed: number;
  readonly failed: number;
}

const day = 86_400_000;

/** When the first of so many days begins, today being the last. */
export function sinceDays(now: number, count: number): number {
  return Math.floor(now / day) * day - (count - 1) * day;
}

/** Counts what ended in the last days, oldest first; what was cancelled counts for nothing. */
export function numbersOf(all: readonly Ending[], now: number, count: number): Numbers {
  const endings = all.filter(({ kind, task }) => kind !== "cancelled" && task !== "teardown");
  const passed = endings.filter(({ kind }) => kind === "passed");
  const first = sinceDays(now, count);
  return {
    days: Array.from({ length: count }, (_, at) => dayOf(endings, first + at * day)),
    deployments: passed.length,
    leadTime: median(passed.filter(({ task }) => task === "deploy").map(({ wishedAt, finishedAt }) => finishedAt - wishedAt)),
    duration: median(passed.flatMap(({ startedAt, finishedAt }) => (startedAt === null ? [] : [finishedAt - startedAt]))),
    failureRate: endings.length === 0 ? null : 1 - passed.length / endings.length,
    timeToRecover: median(recoveries(endings)),
  };
}

function dayOf(endings: readonly Ending[], start: number): Day {
  const ended = endings.filter(({ finishedAt }) => finishedAt >= start && finishedAt < start + day);
  const passed = ended.filter(({ kind }) => kind === "passed").length;
  return { start, passed, failed: ended.length - passed };
}

/** From the first of several failures in a row. */
function recoveries(endings: readonly Ending[]): readonly number[] {
  const times: number[] = [];
  let brokenSince: number | null = null;
  for (const { kind, finishedAt } of endings) {
    if (kind !== "passed") brokenSince ??= finishedAt;
    else if (brokenSince !== null) {
      times.push(finishedAt - brokenSince);
      brokenSince = null;
    }
  }
  return times;
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}
