import { setTimeout as delay } from "node:timers/promises";

/**
 * Spaces an installation's writes: a burst at once, then two in three seconds, so that no minute has more than GitHub's 80
 * content-creating requests. https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
 */
export function createPace({
  burst = 40,
  perSecond = 2 / 3,
  clock = Date.now,
  wait = delay as (milliseconds: number) => Promise<unknown>,
} = {}): () => Promise<void> {
  let tokens = burst;
  let filledAt = clock();
  let line: Promise<void> = Promise.resolve();

  async function takeTurn(): Promise<void> {
    const now = clock();
    // A clock that is set back must not cost hours.
    const passed = Math.max(0, now - filledAt);
    tokens = Math.min(burst, tokens + (passed / 1_000) * perSecond);
    filledAt = now;
    tokens -= 1;
    if (tokens < 0) await wait((-tokens / perSecond) * 1_000);
  }

  return () => {
    line = line.then(takeTurn);
    return line;
  };
}
