import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { createPace } from "../../src/github/pace.ts";

/** A pace on a clock that moves only while somebody waits for his turn, or when the test says so. */
function paced(options: { burst?: number; perSecond?: number } = {}) {
  let now = 1_790_000_000_000;
  const turn = createPace({
    ...options,
    clock: () => now,
    wait: async (milliseconds: number) => {
      now += milliseconds;
    },
  });
  const pass = (milliseconds: number) => {
    now += milliseconds;
  };
  return { turn, now: () => now, pass };
}

describe("the pace of an installation's writes", () => {
  it("lets a burst through at once, and then one after the other", async () => {
    const { turn, now } = paced({ burst: 3, perSecond: 1 });
    const start = now();
    const turns = await Promise.all([1, 2, 3, 4, 5, 6].map(() => turn().then(() => now() - start)));
    expect(turns).toEqual([0, 0, 0, 1_000, 2_000, 3_000]);
  });

  it("gives the burst back while nobody writes, and no more than that", async () => {
    const { turn, now, pass } = paced({ burst: 2, perSecond: 1 });
    for (let n = 0; n < 2; n += 1) await turn();
    pass(3_600_000);
    const start = now();
    for (let n = 0; n < 3; n += 1) await turn();
    expect(now() - start).toBe(1_000);
  });

  it("keeps the order of those who wait", async () => {
    const { turn } = paced({ burst: 1 });
    const order: number[] = [];
    await Promise.all([1, 2, 3, 4].map((n) => turn().then(() => order.push(n))));
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it("does not stand still when the clock is set back", async () => {
    const { turn, now, pass } = paced({ burst: 1, perSecond: 1 });
    await turn();
    pass(-3_600_000);
    const start = now();
    await turn();
    expect(now() - start).toBe(1_000);
  });

  it("has never more than GitHub's 80 writes in any minute, however they come", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 5_000 }), { minLength: 150, maxLength: 300 }), async (pauses) => {
        const { turn, now, pass } = paced();
        const times: number[] = [];
        for (const pause of pauses) {
          if (pause > 4_000) pass(pause);
          await turn();
          times.push(now());
        }
        for (const [index, time] of times.entries()) {
          const later = times[index + 80];
          if (later !== undefined) expect(later - time).toBeGreaterThanOrEqual(60_000 - 1);
        }
      }),
      { numRuns: 50 },
    );
  });
});
