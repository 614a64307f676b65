import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { createPace, longestLine, ownTurns, rates, takeTurn } from "../../src/github/pace.ts";
import { sharedTurns } from "../../src/github/shared-turns.ts";
import { engines } from "../support/engines.ts";

/** A pace on a clock that moves only while somebody waits for his turn, or when the test says so. */
function paced(rate: { readonly burst: number; readonly interval: number }) {
  let now = 1_790_000_000_000;
  const take = ownTurns(rate, () => now);
  const turn = createPace(take, async (milliseconds) => {
    now += milliseconds;
  });
  const pass = (milliseconds: number) => {
    now += milliseconds;
  };
  return { turn, now: () => now, pass };
}

/** The most that any window of that length holds. */
function mostWithin(times: readonly number[], window: number): number {
  return Math.max(...times.map((from) => times.filter((time) => time >= from && time < from + window).length));
}

describe("the pace of an installation's requests", () => {
  it("lets a burst through at once, and then one after the other", async () => {
    const { turn, now } = paced({ burst: 3, interval: 1_000 });
    const start = now();
    const turns = await Promise.all([1, 2, 3, 4, 5, 6].map(() => turn().then(() => now() - start)));
    expect(turns).toEqual([0, 0, 0, 1_000, 2_000, 3_000]);
  });

  it("gives the burst back while nobody asks, and no more than that", async () => {
    const { turn, now, pass } = paced({ burst: 2, interval: 1_000 });
    for (let n = 0; n < 2; n += 1) await turn();
    pass(3_600_000);
    const start = now();
    for (let n = 0; n < 3; n += 1) await turn();
    expect(now() - start).toBe(1_000);
  });

  it("keeps the order of those who wait, also when one's turn could not be taken", async () => {
    let calls = 0;
    const turn = createPace(async () => {
      calls += 1;
      if (calls === 2) throw new Error("the database was away");
      return 0;
    });
    const order: (number | string)[] = [];
    await Promise.all(
      [1, 2, 3, 4].map((n) =>
        turn().then(
          () => order.push(n),
          ({ message }) => order.push(message),
        ),
      ),
    );
    expect(order).toEqual([1, "the database was away", 3, 4]);
  });

  it("counts for nothing what tells of a clock that was set back", () => {
    const now = 1_790_000_000_000;
    expect(takeTurn(now + longestLine + 1, now, rates.writes)).toEqual({ fullAt: now + 1_000, wait: 0 });
    expect(takeTurn(now + 30_000, now, rates.writes).wait).toBe(11_000);
  });

  // https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
  it("keeps every minute and every hour below GitHub's published limits, whenever the requests come", async () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 200, maxLength: 700 });
    await fc.assert(
      fc.asyncProperty(gaps, async (pauses) => {
        const writes = paced(rates.writes);
        const comments = paced(rates.comments);
        const at: { writes: number[]; comments: number[] } = { writes: [], comments: [] };
        for (const pause of pauses) {
          writes.pass(pause % 3 === 0 ? pause : 0);
          comments.pass(pause % 5 === 0 ? pause : 0);
          await writes.turn();
          at.writes.push(writes.now());
          await comments.turn();
          at.comments.push(comments.now());
        }
        expect(mostWithin(at.writes, 60_000)).toBeLessThanOrEqual(80);
        expect(mostWithin(at.comments, 3_600_000)).toBeLessThanOrEqual(500);
      }),
      { numRuns: 20 },
    );
    // Reads cost one point and writes five, of the 900 that a minute has.
    const inAMinute = ({ burst, interval }: { readonly burst: number; readonly interval: number }) => burst + 60_000 / interval;
    expect(inAMinute(rates.reads) + 5 * inAMinute(rates.writes)).toBeLessThanOrEqual(900);
  });

  it("is not slower than GitHub asks: a second between two writes, and the first ones at once", async () => {
    const { turn, now } = paced(rates.writes);
    const start = now();
    for (let n = 0; n < 500; n += 1) await turn();
    expect(now() - start).toBe((500 - rates.writes.burst) * 1_000);
  });
});

describe.each(engines())("the turns that replicas share, on %s", (_name, storage) => {
  it("come from one bucket: all together never write more often than one may", async () => {
    const now = 1_790_000_000_000;
    const place = await storage.place();
    const replicas = [
      sharedTurns(await storage.openAt(place, { clock: () => now })),
      sharedTurns(await storage.openAt(place, { clock: () => now })),
    ];
    const turns = await Promise.all(Array.from({ length: 50 }, (_, n) => replicas[n % 2]?.take(7)));
    const waits = turns.map((turn) => turn?.wait ?? -1).toSorted((a, b) => a - b);
    const expected = Array.from({ length: 50 }, (_, n) => Math.max(0, n + 1 - rates.writes.burst) * 1_000);
    expect(waits).toEqual(expected);
    expect(await replicas[0]?.take(8)).toEqual({ wait: 0, pause: 0 });
  });

  it("stand still for all when GitHub asked one of them to wait", async () => {
    let now = 1_790_000_000_000;
    const place = await storage.place();
    const one = sharedTurns(await storage.openAt(place, { clock: () => now }));
    const other = sharedTurns(await storage.openAt(place, { clock: () => now }));
    await one.pause(7, 90_000);
    now += 30_000;
    expect(await other.take(7)).toMatchObject({ pause: 60_000 });
    now += 60_000;
    expect(await other.take(7)).toMatchObject({ pause: 0 });
  });
});
