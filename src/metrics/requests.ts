import type { Metric } from "./exposition.ts";

/** Counts what this process asks of GitHub's API. */
export interface RequestCount {
  /** In place of Node's own, and the same but for the counting. */
  readonly fetch: typeof fetch;
  metrics(): readonly Metric[];
}

/** Wraps a `fetch`. */
export function countRequests(inner: typeof fetch): RequestCount {
  const answers = new Map<string, number>();
  // The lowest since the last look: with several installations the one that is nearest to its limit.
  let remaining: number | null = null;
  let last: number | null = null;
  const count = (status: string) => answers.set(status, (answers.get(status) ?? 0) + 1);
  return {
    async fetch(input, init) {
      try {
        const answer = await inner(input, init);
        count(String(answer.status));
        const header = answer.headers.get("x-ratelimit-remaining");
        if (header !== null && Number.isSafeInteger(Number(header))) {
          last = Number(header);
          remaining = Math.min(remaining ?? last, last);
        }
        return answer;
      } catch (error) {
        count("none");
        throw error;
      }
    },
    metrics() {
      const lowest = remaining;
      remaining = last;
      return [
        {
          name: "signalbox_github_requests_total",
          type: "counter",
          help: "Requests of this process to GitHub's API, by the status of the answer; none: no answer.",
          samples: [...answers].map(([status, value]) => ({ labels: { status }, value })),
        },
        {
          name: "signalbox_github_quota_remaining",
          type: "gauge",
          help: "The lowest remaining quota that GitHub told since the last look.",
          samples: lowest === null ? [] : [{ value: lowest }],
        },
      ];
    },
  };
}
