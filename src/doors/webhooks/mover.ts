import type { Logger } from "pino";
import type { Database } from "../../database/connection.ts";
import type { Journal } from "../../database/journal/journal.ts";
import type { Entry } from "../../database/journal/reading.ts";
import { arrivalFrom } from "./arrival-record.ts";
import type { Crowd } from "./crowd.ts";
import { receiptOf, store } from "./receipt.ts";

export interface MoverOptions {
  readonly database: Database;
  readonly journal: Journal;
  readonly arrivals: Crowd;
  readonly listensTo: ReadonlySet<string>;
  readonly log: Logger;
}

export interface Mover {
  /** Says that there is something to move. */
  wake(): void;
  /** Resolves, with how many were moved since the start, when all that is durable in the journal was moved. */
  caughtUp(): Promise<number>;
  /** Resolves when the transaction under way is over, and all is moved that is moved within a moment. */
  stop(): Promise<void>;
}

/**
 * Makes receipts of what stands in the journal, in its order. How far it has come is written in the same transaction, so nothing is moved
 * twice. It begins at once; while many deliveries arrive it leaves them the event loop but for a slice now and then.
 */
export function startMover({ database, journal, arrivals, listensTo, log }: MoverOptions): Mover {
  const waiting: ((moved: number) => void)[] = [];
  let [moved, again] = [0, false];
  let moving: Promise<void> | null = null;
  let stopAt = never;
  const isOver = () => performance.now() >= stopAt;
  let nextSlice = 0;

  function wake(): void {
    again = true;
    moving ??= moveAll().finally(() => {
      moving = null;
      if (again && !isOver()) wake();
    });
  }

  async function moveAll(): Promise<void> {
    for (let entries: readonly Entry[] = []; !isOver(); ) {
      try {
        if (entries.length === 0) {
          again = false;
          entries = await journal.read();
        }
        if (entries.length > 0) {
          await room();
          entries = entries.slice(await slice(entries));
        } else if (!again) {
          for (const resolve of waiting.splice(0)) resolve(moved);
          return;
        }
      } catch (err) {
        log.error({ err }, "what was accepted waits in the journal, because it cannot be moved into the database");
        await delay(1_000);
      }
    }
  }

  /** Waits while a crowd arrives, but not for long, and less when much has gathered. */
  async function room(): Promise<void> {
    while (performance.now() < nextSlice && arrivals.isThere(performance.now()) && stopAt === never) {
      if (journal.backlog() > much) return new Promise((resolve) => setImmediate(resolve));
      await delay(10);
    }
  }

  /** Moves as many of these as there is time for, at least one; resolves with how many when that is durable. */
  async function slice(entries: readonly Entry[]): Promise<number> {
    const done = await database.write(async (tx) => {
      const began = performance.now();
      const done: Entry[] = [];
      for (const entry of entries) {
        const { arrival, at } = arrivalFrom(entry.content);
        await store(tx, [receiptOf(arrival, listensTo, at)]);
        done.push(entry);
        if (performance.now() - began > longestSlice) break;
      }
      await tx.db
        .updateTable("receipt_journal")
        .set({ moved: done.at(-1)?.sequence ?? 0 })
        .execute();
      return done;
    });
    nextSlice = performance.now() + pause;
    moved += done.length;
    const last = done.at(-1);
    if (last !== undefined) journal.release(last);
    return done.length;
  }

  return {
    wake,
    caughtUp: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        wake();
      }),
    async stop() {
      stopAt = performance.now() + lastMoment;
      wake();
      await moving;
    },
  };
}

/** The number of the last entry whose receipt stands in the table. */
export async function movedSoFar(database: Database): Promise<number> {
  return (await database.read((db) => db.selectFrom("receipt_journal").select("moved").executeTakeFirstOrThrow())).moved;
}

const never = Number.POSITIVE_INFINITY;

/** Milliseconds of the event loop at a time, and between two of them while a crowd arrives. */
const longestSlice = 4;
const pause = 1_000;

/** Bytes in the journal from which on moving gets an equal share. */
const much = 512 * 1024 * 1024;

/** What a stop gives to what is left, in milliseconds; the next start goes on. */
const lastMoment = 2_000;

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
