import type { Topic, Wake } from "./wake.ts";

export interface Looking {
  readonly wake: Wake;
  readonly topics: readonly Topic[];
  /** Milliseconds between looks when nothing rings: rings may be lost. */
  readonly every: number;
  /** Milliseconds between a ring and the look, for what nobody waits for. */
  readonly after?: number;
  /** Finds what is due and begins it. What it began goes on beside later looks and never rejects; when it has ended, another look follows. */
  look(): Promise<readonly Promise<void>[]>;
  /** Told of a look that failed; the next one comes by itself. */
  onError(error: unknown): void;
}

export interface Lookout {
  /** Resolves when a look found nothing to begin and nothing is under way. */
  settled(): Promise<void>;
  /** Resolves when nothing is under way; nothing new is begun. */
  stop(): Promise<void>;
}

/** Looks for work now, whenever it is rung for, and now and then. One look at a time. */
export function startLooking({ wake, topics, every, after, look, onError }: Looking): Lookout {
  const underWay = new Set<Promise<void>>();
  let stopped = false;
  let looking: Promise<void> | null = null;
  let again = false;

  function ring(): Promise<void> {
    again = true;
    looking ??= Promise.resolve().then(untilCalm);
    return looking;
  }

  /** Ends in the very turn in which nobody asks for another look, so that no ring falls between the two. */
  async function untilCalm(): Promise<void> {
    try {
      while (again && !stopped) {
        // Work that ends at once asks for the next look at once: whatever else there is has its turn in between.
        await new Promise((resolve) => setImmediate(resolve));
        if (stopped) return;
        again = false;
        for (const work of await look()) follow(work);
      }
    } catch (error) {
      onError(error);
    } finally {
      looking = null;
    }
  }

  function follow(work: Promise<void>): void {
    const followed = work.finally(() => {
      underWay.delete(followed);
      void ring();
    });
    underWay.add(followed);
  }

  const onRing = after === undefined ? () => void ring() : () => void setTimeout(() => void ring(), after).unref();
  const unwake = topics.map((topic) => wake.on(topic, onRing));
  const looks = setInterval(() => void ring(), every);
  void ring();
  return {
    async settled() {
      for (;;) {
        const wasCalm = underWay.size === 0;
        await ring();
        if (wasCalm && underWay.size === 0) return;
        await Promise.all(underWay);
      }
    },
    async stop() {
      stopped = true;
      for (const off of unwake) off();
      clearInterval(looks);
      await looking;
      await Promise.all(underWay);
    },
  };
}
