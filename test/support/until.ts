/** GitHub shows what is true so many milliseconds after a restart at most: a promise, and no patience with a busy machine. */
export const promised = 30_000;

/**
 * Polls until the condition holds and gives what it gave; fails after the deadline, naming what did not come true. The deadline is
 * generous: a busy machine is no failure.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  within = 60_000,
  every = 10,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + within;
  for (;;) {
    const value = await condition();
    if (value) return value as NonNullable<Exclude<T, false>>;
    if (performance.now() > deadline) throw new Error(`Not within ${within} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
