import type { Logger } from "pino";
import type { Database } from "../database/connection.ts";
import { type Executors, executeRun } from "./execute.ts";
import { claim, type MayStart, reap } from "./queue.ts";
import type { RunningRun } from "./run.ts";

export interface WorkerOptions {
  readonly database: Database;
  /** Names this process among all that ever worked on this database. */
  readonly owner: string;
  /** Runs at once. */
  readonly concurrency: number;
  readonly executors: Executors;
  readonly mayStart: MayStart;
  /** Bytes of log that an attempt keeps. */
  readonly logLimit: number;
  readonly log: Logger;
  /** Told when an attempt is over here, and how; what went on elsewhere may be told of by another process. */
  readonly onEnded?: (run: RunningRun, ending: string) => void;
}

export interface Worker {
  /**
   * Takes nothing new, breaks checks off and puts them back, hands over deployments that go on elsewhere, and gives the others `patience`
   * milliseconds to end by themselves.
   * Resolves when nothing of ours works any more.
   */
  stop(patience: number): Promise<void>;
}

/** A lost ring costs at most this long, in milliseconds. */
const lookEvery = 2_000;
/** With the lease of 15 s: what a dead worker ran is taken up by another one within 20 s. */
const reapEvery = 2_000;

/** Claims queued runs and executes them until it is stopped. */
export function startWorker(options: WorkerOptions): Worker {
  const { database, owner, concurrency, mayStart, log } = options;
  const active = new Map<
    Promise<void>,
    { readonly id: number; readonly begun: AbortController; readonly over: AbortController }
  >();
  let stopped = false;
  let looking: Promise<void> | null = null;
  let lookAgain = false;

  function look(): void {
    lookAgain = true;
    looking ??= Promise.resolve().then(claimAll);
  }

  /** Ends in the very turn in which nobody asks for another look, so that no ring falls between the two. */
  async function claimAll(): Promise<void> {
    try {
      while (lookAgain && !stopped) {
        lookAgain = false;
        while (!stopped && active.size < concurrency) {
          const run = await claim(database, owner, mayStart);
          if (run === null) break;
          begin(run);
        }
      }
    } catch (error) {
      log.error({ err: error }, "claiming a run failed; trying again");
    } finally {
      looking = null;
    }
  }

  function begin(run: RunningRun): void {
    const [begun, over] = [new AbortController(), new AbortController()];
    const work = executeRun(run, options, { begun: begun.signal, over: over.signal })
      .catch((error) => log.error({ err: error, run: run.id }, "a run could not be ended; its lease will end it"))
      .finally(() => {
        active.delete(work);
        look();
      });
    active.set(work, { id: run.id, begun, over });
  }

  const unwake = database.wake.on("runs", look);
  const looks = setInterval(look, lookEvery);
  const reaps = setInterval(() => void reapExpired(), reapEvery);

  async function reapExpired(): Promise<void> {
    try {
      const taken = await database.write((tx) => {
        const alive = [...active.values()].map(({ id }) => id);
        return reap(tx, "expired", alive);
      });
      if (taken > 0) log.warn({ runs: taken }, "took back runs whose worker fell silent");
    } catch (error) {
      log.error({ err: error }, "looking for abandoned runs failed; trying again");
    }
  }

  look();
  return {
    async stop(patience) {
      stopped = true;
      unwake();
      clearInterval(looks);
      clearInterval(reaps);
      // A claim under way may still begin a run.
      await looking;
      for (const { begun } of active.values()) begun.abort();
      const timer = setTimeout(() => {
        for (const { over } of active.values()) over.abort();
      }, patience);
      await Promise.all(active.keys());
      clearTimeout(timer);
    },
  };
}
