import type { Database, Query } from "../database/connection.ts";
import { rest } from "./slices.ts";

/** Chunks of up to 64 KB, so a transaction frees some megabytes at most. */
const chunksAtOnce = 100;
const receiptsAtOnce = 500;

/** Deletes the logs of runs that ended before this moment, and the bodies of receipts that came before it. Returns how many logs it deleted. */
export async function forgetLogs(database: Database, before: number, stop: AbortSignal): Promise<number> {
  let forgotten = 0;
  let run = await database.read((db) => nextWithLog(db, 0, before));
  for (; run !== null && !stop.aborted; run = await next(run.id)) {
    if (run.state !== "finished" || (run.finished_at ?? before) >= before) continue;
    if (await forgetLog(database, run.id, before, stop)) forgotten += 1;
  }
  await forgetBodies(database, before, stop);
  return forgotten;

  function next(after: number) {
    return database.read((db) => nextWithLog(db, after, before));
  }
}

/** Deletes the log of a run that ended before this moment, all attempts. `false` when it has left that state meanwhile, or was left off. */
export async function forgetLog(database: Database, run: number, before: number, stop: AbortSignal): Promise<boolean> {
  for (;;) {
    if (stop.aborted) return false;
    const deleted = await database.write(async (tx) => {
      const over = tx.db.selectFrom("run").select("id").where("id", "=", run).where("finished_at", "<", before);
      const locked = tx.engine === "postgres" ? over.forUpdate() : over;
      if ((await locked.where("state", "=", "finished").executeTakeFirst()) === undefined) return null;
      const chunks = await tx.db
        .selectFrom("log_chunk")
        .select(["attempt", "seq"])
        .where("run", "=", run)
        .orderBy("attempt", "desc")
        .orderBy("seq", "desc")
        .limit(chunksAtOnce)
        .execute();
      for (const { attempt, seq } of chunks)
        await tx.db
          .deleteFrom("log_chunk")
          .where("run", "=", run)
          .where("attempt", "=", attempt)
          .where("seq", "=", seq)
          .execute();
      tx.ring(`log:${run}`);
      return chunks.length;
    });
    if (deleted === null) return false;
    if (deleted < chunksAtOnce) return true;
    await rest();
  }
}

/** Runs are numbered in the order of their birth, so those that are too young follow all the others. */
async function nextWithLog(db: Query, after: number, before: number) {
  const chunk = await db
    .selectFrom("log_chunk")
    .select("run")
    .where("run", ">", after)
    .orderBy("run")
    .limit(1)
    .executeTakeFirst();
  if (chunk === undefined) return null;
  const run = await db
    .selectFrom("run")
    .select(["id", "state", "created_at", "finished_at"])
    .where("id", "=", chunk.run)
    .executeTakeFirst();
  if (run === undefined) return { id: chunk.run, state: "running" as const, finished_at: null };
  return run.created_at < before ? run : null;
}

/** What is still to be handled keeps its body. */
async function forgetBodies(database: Database, before: number, stop: AbortSignal): Promise<void> {
  for (let after = 0; !stop.aborted; await rest()) {
    const ids = await database.read((db) =>
      db
        .selectFrom("receipt")
        .select(["id", "received_at"])
        .where("id", ">", after)
        .orderBy("id")
        .limit(receiptsAtOnce)
        .execute(),
    );
    const last = ids.findLast((row) => row.received_at < before);
    if (last === undefined) return;
    await database.write((tx) =>
      tx.db
        .updateTable("receipt")
        .set({ body: null })
        .where("id", ">", after)
        .where("id", "<=", last.id)
        .where("body", "is not", null)
        .where("state", "<>", "received")
        .where("received_at", "<", before)
        .execute(),
    );
    after = last.id;
    if (ids.length < receiptsAtOnce) return;
  }
}
