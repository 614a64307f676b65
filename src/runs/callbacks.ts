import { createHash, randomBytes } from "node:crypto";
import { sql } from "kysely";
import type { Database, Transaction } from "../database/connection.ts";
import type { Callbacks } from "../elsewhere/callbacks.ts";
import { findRun } from "./read.ts";
import type { Run } from "./run.ts";

/** What becomes of a call. */
export type Taken = "taken" | "again" | "unknown";

/** Where other systems bring their results, below the server's address; the token comes last. */
export const callbackPath = "/-/callbacks/";

/** For rings that were lost, in milliseconds. */
const lookEvery = 5_000;

/** The callback addresses of one attempt of a run. `address` is where the server is reached. */
export function callbacksOf(
  database: Database,
  run: { readonly id: number; readonly attempt: number },
  address: string,
): Callbacks {
  return {
    async open() {
      const token = randomBytes(32).toString("base64url");
      const key = keyOf(token);
      await database.write((tx) =>
        tx.db
          .insertInto("callback")
          .values({ token: key, run: run.id, attempt: run.attempt, body: null, created_at: tx.now, arrived_at: null })
          .execute(),
      );
      return { url: `${address}${callbackPath}${token}`, key };
    },
    async arrived(keys, stop) {
      const bell = bellOf(database, stop);
      try {
        for (;;) {
          const rows = await database.read((db) =>
            db
              .selectFrom("callback")
              .select(["body", "arrived_at"])
              .where("token", "in", keys)
              .where("run", "=", run.id)
              .execute(),
          );
          const body = rows.find((row) => row.body !== null)?.body ?? null;
          if (body !== null) return JSON.parse(body);
          if (rows.every((row) => row.arrived_at !== null)) throw new Error(`Run ${run.id} waits for no such callback`);
          stop.throwIfAborted();
          await bell.rung();
        }
      } finally {
        bell.close();
      }
    },
  };
}

/** The run that waits for a token's call. */
export async function lookAtCallback(database: Database, token: string): Promise<Run | "again" | "unknown"> {
  return database.read(async (db) => {
    const row = await db
      .selectFrom("callback")
      .select(["run", "arrived_at"])
      .where("token", "=", keyOf(token))
      .executeTakeFirst();
    const run = row === undefined ? null : await findRun(db, row.run);
    if (row === undefined || run === null) return "unknown";
    return row.arrived_at === null ? run : "again";
  });
}

/** Takes what came with a call: once, durable when the transaction is, and the run that waits for it is woken. */
export async function takeCallback(tx: Transaction, token: string, body: unknown): Promise<Taken> {
  const taken = await tx.db
    .updateTable("callback")
    .set({ body: JSON.stringify(body), arrived_at: tx.now })
    .where("token", "=", keyOf(token))
    .where("arrived_at", "is", null)
    .returning("run")
    .executeTakeFirst();
  if (taken !== undefined) {
    tx.ring("runs");
    return "taken";
  }
  const known = await tx.db.selectFrom("callback").select("run").where("token", "=", keyOf(token)).executeTakeFirst();
  return known === undefined ? "unknown" : "again";
}

/**
 * Shuts what a run that has ended does not wait for any more: a late call is told so. What came is forgotten: its log is in the run's, which is
 * kept less long.
 */
export async function closeCallbacks(tx: Transaction, run: number): Promise<void> {
  await tx.db
    .updateTable("callback")
    .set({ body: null, arrived_at: sql`coalesce(arrived_at, ${tx.now})` })
    .where("run", "=", run)
    .execute();
}

/** Who reads the table cannot call, and comparing hashes tells nothing about the token by the time it takes. */
function keyOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Rings at each change of a run, now and then by itself, and when it is time to stop. */
function bellOf(database: Database, stop: AbortSignal): { rung(): Promise<void>; close(): void } {
  let next = Promise.withResolvers<void>();
  const ring = () => next.resolve();
  const unwake = database.wake.on("runs", ring);
  const timer = setInterval(ring, lookEvery);
  stop.addEventListener("abort", ring);
  return {
    // Also when it rang before: nothing is missed between a look and this.
    async rung() {
      await next.promise;
      next = Promise.withResolvers();
    },
    close() {
      unwake();
      clearInterval(timer);
      stop.removeEventListener("abort", ring);
    },
  };
}
