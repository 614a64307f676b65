import { z } from "zod";
import type { Query } from "../database/connection.ts";
import type { Metric } from "./exposition.ts";

/** Seconds. */
const buckets = [5, 15, 30, 60, 120, 300, 600, 1_200, 2_400, 4_800] as const;

/** Attempts that ended since this process began, counted as they are looked at: nothing is read twice. */
export interface EndedRuns {
  metrics(db: Query): Promise<readonly Metric[]>;
}

const atMost = 5_000;

export function countEnded(since: number): EndedRuns {
  let seenUpTo = since;
  const outcomes = new Map<string, { readonly kind: string; readonly outcome: string; value: number }>();
  const durations = new Map<string, { readonly buckets: number[]; sum: number; count: number }>();

  function take(row: {
    readonly kind: string;
    readonly started_at: number;
    readonly finished_at: number;
    readonly outcome: string;
  }): void {
    const outcome = outcomeKind.safeParse(JSON.parse(row.outcome)).data?.kind ?? "unknown";
    const key = `${row.kind} ${outcome}`;
    const counted = outcomes.get(key) ?? { kind: row.kind, outcome, value: 0 };
    counted.value += 1;
    outcomes.set(key, counted);
    const seconds = (row.finished_at - row.started_at) / 1_000;
    const spread = durations.get(row.kind) ?? { buckets: buckets.map(() => 0), sum: 0, count: 0 };
    for (const [at, most] of buckets.entries()) if (seconds <= most) spread.buckets[at] = (spread.buckets[at] ?? 0) + 1;
    spread.sum += seconds;
    spread.count += 1;
    durations.set(row.kind, spread);
  }

  return {
    async metrics(db) {
      const rows = await db
        .selectFrom("attempt")
        .innerJoin("run", "run.id", "attempt.run")
        .select(["run.kind", "attempt.started_at", "attempt.finished_at", "attempt.outcome"])
        .where("attempt.finished_at", ">", seenUpTo)
        .where("attempt.outcome", "is not", null)
        .orderBy("attempt.finished_at")
        .limit(atMost)
        .execute();
      for (const { finished_at, outcome, ...row } of rows) {
        if (finished_at === null || outcome === null) continue;
        take({ ...row, finished_at, outcome });
        seenUpTo = Math.max(seenUpTo, finished_at);
      }
      return [
        {
          name: "signalbox_runs_ended_total",
          type: "counter",
          help: "Attempts that ended since this process began, by kind and outcome, of all replicas.",
          samples: [...outcomes.values()].map(({ kind, outcome, value }) => ({ labels: { kind, outcome }, value })),
        },
        {
          name: "signalbox_run_duration_seconds",
          type: "histogram",
          help: "How long they took.",
          samples: [...durations].flatMap(([kind, spread]) => [
            ...buckets.map((le, at) => ({ suffix: "_bucket", labels: { kind, le: String(le) }, value: spread.buckets[at] ?? 0 })),
            { suffix: "_bucket", labels: { kind, le: "+Inf" }, value: spread.count },
            { suffix: "_sum", labels: { kind }, value: spread.sum },
            { suffix: "_count", labels: { kind }, value: spread.count },
          ]),
        },
      ];
    },
  };
}

const outcomeKind = z.object({ kind: z.string() });
