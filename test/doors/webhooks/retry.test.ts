import { describe, expect, it } from "@jest/globals";
import { explain, isRetryable, mostAttempts, waitBefore } from "../../../src/doors/webhooks/retry.ts";

describe("trying again", () => {
  it("waits longer each time, for about an hour in all", () => {
    const waits = Array.from({ length: mostAttempts - 1 }, (_, index) => waitBefore(index + 2, true) ?? 0);
    expect(waits.slice(0, 3)).toEqual([1_000, 2_000, 4_000]);
    expect(waits.reduce((sum, wait) => sum + wait) / 60_000).toBeCloseTo(68.25, 1);
    expect(waitBefore(mostAttempts + 1, true)).toBeNull();
  });

  it("waits shortly before the three attempts of a bug", () => {
    expect([2, 3, 4].map((attempt) => waitBefore(attempt, false))).toEqual([1_000, 2_000, null]);
  });

  it("is worth it when any part of the error says so", () => {
    const retryable = Object.assign(new Error("down"), { retryable: true });
    expect(isRetryable(new AggregateError([new Error("a"), new Error("b", { cause: retryable })]))).toBe(true);
    expect(isRetryable(Object.assign(new Error("no"), { retryable: false }))).toBe(false);
    for (const error of [undefined, null, "retryable", 1, new Error("bug"), new AggregateError([])])
      expect(isRetryable(error)).toBe(false);
  });

  it("does not go round in circles", () => {
    const error = new Error("round");
    error.cause = new AggregateError([error]);
    expect(isRetryable(error)).toBe(false);
  });

  it("keeps what Probot's error is made of, in bounds", () => {
    expect(explain(new AggregateError([new TypeError("x"), new Error("y")], "several"))).toBe("TypeError: x; Error: y");
    expect(explain(new Error("plain"))).toBe("Error: plain");
    expect(explain("thrown text")).toBe("thrown text");
    expect(explain(new Error("x".repeat(10_000)))).toHaveLength(2_000);
  });
});
