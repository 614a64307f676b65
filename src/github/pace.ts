import { setTimeout as delay } from "node:timers/promises";

/** How fast something may be asked: so many at once, and then one in each interval. */
export interface Rate {
  readonly burst: number;
  /** Milliseconds. */
  readonly interval: number;
}

/**
 * GitHub's limits for one installation. Writes: a second between two, and no minute with more than 80. Comments: no hour with more than 500.
 * A minute has 900 points, of which 80 writes take 400; a read takes one.
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
 */
export const rates = {
  writes: { burst: 20, interval: 1_000 },
  comments: { burst: 50, interval: 8_000 },
  reads: { burst: 200, interval: 200 },
} as const satisfies Readonly<Record<string, Rate>>;

/**
 * Takes one turn of a bucket that is full again at `fullAt`: when it will be full then, and in how many milliseconds the turn comes.
 * What lies further ahead than any line is long tells of a clock that was set back, and counts for nothing.
 */
export function takeTurn(
  fullAt: number,
  now: number,
  { burst, interval }: Rate,
): { readonly fullAt: number; readonly wait: number } {
  const sane = fullAt - now > longestLine ? now : fullAt;
  const next = Math.max(sane, now) + interval;
  return { fullAt: next, wait: Math.max(0, next - now - burst * interval) };
}

export const longestLine = 600_000;

/** Turns that only this process takes. `clock` never goes back. */
export function ownTurns(rate: Rate, clock: () => number): () => Promise<number> {
  let fullAt = Number.NEGATIVE_INFINITY;
  return async () => {
    const turn = takeTurn(fullAt, clock(), rate);
    fullAt = turn.fullAt;
    return turn.wait;
  };
}

/** Lets callers go on one after the other, each when its turn has come. A turn that could not be taken rejects for its caller alone. */
export function createPace(
  take: () => Promise<number>,
  wait: (milliseconds: number) => Promise<unknown> = delay,
): () => Promise<void> {
  let line: Promise<unknown> = Promise.resolve();
  const next = async () => {
    const milliseconds = await take();
    if (milliseconds > 0) await wait(milliseconds);
  };
  return () => {
    const turn = line.then(next);
    line = turn.catch(() => {});
    return turn;
  };
}
