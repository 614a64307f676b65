/**
 * Shares slow syncs among all who wait for them: resolves when one that began after the call has ended. A few may run at once, because a
 * disk does several in the time of one. When one fails, what is on the disk is unknown, and a later one that succeeds would prove nothing
 * (https://wiki.postgresql.org/wiki/Fsync_Errors): from then on every call rejects.
 */
export function groupSync(sync: () => Promise<void>): () => Promise<void> {
  const running = new Set<Promise<void>>();
  let next: Promise<void> | null = null;
  let broken: Error | null = null;

  async function syncOnce(): Promise<void> {
    if (broken !== null) throw broken;
    try {
      await sync();
      if (broken !== null) throw broken;
    } catch (cause) {
      broken ??= new Error("The database could not be written to its disk: check the disk, then restart Signalbox", { cause });
      throw broken;
    }
  }

  function start(): Promise<void> {
    const started: Promise<void> = syncOnce().finally(() => running.delete(started));
    running.add(started);
    return started;
  }

  async function afterOneOfThese(): Promise<void> {
    await Promise.race(running).catch(() => {});
    next = null;
    return start();
  }

  return () => {
    if (next === null && running.size < atOnce) return start();
    next ??= afterOneOfThese();
    return next;
  };
}

const atOnce = 3;
