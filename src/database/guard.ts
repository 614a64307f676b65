import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { isConflict } from "./conflict.ts";
import type { Database, Engine, Query, Transaction } from "./connection.ts";
import type { Topic, Wake } from "./wake.ts";

/** What an engine brings. */
export interface Parts {
  readonly engine: Engine;
  readonly reader: Query;
  readonly writer: Query;
  readonly wake: Wake;
  readonly onSlowWrite?: ((error: Error) => void) | undefined;
  now(tx: Query): Promise<number>;
  /** For an engine whose commit alone is not durable. */
  readonly disk?: {
    /** Grows with every row that is changed. */
    changes(): number;
    /** What is committed now is durable once this resolves. */
    synced(): Promise<void>;
  };
  close(): Promise<void>;
}

/** Keeps the two ways to the tables apart, and each to what it promises. */
export function guard({ engine, reader, writer, wake, now, disk, onSlowWrite, close }: Parts): Database {
  // What a write starts and leaves behind may use the database once that write is over.
  const inside = new AsyncLocalStorage<{ over: boolean }>();
  const pending = new Set<Promise<unknown>>();
  let closed: Promise<void> | null = null;

  async function admit<T>(work: () => Promise<T>): Promise<T> {
    if (closed !== null) throw new Error("The database is closed");
    if (inside.getStore()?.over === false) {
      throw new Error("The database is used inside a write: use the transaction that was handed in");
    }
    const done = work();
    pending.add(done);
    return done.finally(() => pending.delete(done));
  }

  /** What had to give way to others is done again from its beginning, a little later. */
  async function transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await transactOnce(work);
      } catch (error) {
        if (attempt === mostAttempts || !isConflict(error)) throw error;
        await delay(Math.random() * 20 * attempt);
      }
    }
  }

  async function transactOnce<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const topics = new Set<Topic>();
    const scope = { over: false };
    let changed = false;
    const result = await writer.transaction().execute((db) =>
      inside.run(scope, async () => {
        const unwatch = watchForSlowAwait(onSlowWrite);
        try {
          const before = disk?.changes();
          const result = await work({ db, engine, now: await now(db), ring: (topic) => void topics.add(topic) });
          changed = disk?.changes() !== before;
          return result;
        } finally {
          scope.over = true;
          unwatch();
        }
      }),
    );
    if (changed) await disk?.synced();
    for (const topic of topics) wake.ring(topic);
    return result;
  }

  return {
    engine,
    wake,
    read: (query) => admit(() => query(reader)),
    write: (work) => admit(() => transact(work)),
    close() {
      closed ??= Promise.allSettled(pending).then(close);
      return closed;
    },
  };
}

const mostAttempts = 5;

/** On SQLite every answer comes within the same turn of the event loop, so a turn that passes means: something else was awaited. */
function watchForSlowAwait(report: ((error: Error) => void) | undefined): () => void {
  if (report === undefined) return () => {};
  const error = new Error("A database write awaited something other than the database; do that before or after it");
  const immediate = setImmediate(() => report(error));
  return () => clearImmediate(immediate);
}
