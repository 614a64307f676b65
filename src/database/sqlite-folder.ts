import { mkdirSync } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { Kysely } from "kysely";
import type { Database, DatabaseOptions, Query } from "./connection.ts";
import { groupSync } from "./group-sync.ts";
import { guard } from "./guard.ts";
import { migrate } from "./migrations/index.ts";
import type { Tables } from "./schema.ts";
import { lockForServer } from "./server-lock.ts";
import { openSqlite, sqliteDialect } from "./sqlite.ts";
import { strict } from "./strict.ts";
import { emitterWake } from "./wake.ts";

/** Opens the database file in a folder, which it makes; alone, when it is for a server. */
export async function openOnSqlite({
  folder,
  exclusive = false,
  volatile = false,
  clock = Date.now,
  onSlowWrite,
}: DatabaseOptions): Promise<Database> {
  const opened: { destroy(): Promise<void> }[] = [];
  const close = async () => {
    for (const part of opened.toReversed()) await part.destroy();
  };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (exclusive) opened.push(lockForServer(folder));
    const path = join(folder, "signalbox.db");
    const writing = openSqlite(path);
    const writer = kysely(writing);
    opened.push(writer);
    const reading = openSqlite(path);
    const reader = kysely(reading);
    opened.push(reader);
    await migrate(writer, "sqlite");
    // The rows that a page counts lie far apart, a page of the file each: with 16 MB they are read from the file once, not each time.
    reading.exec("pragma query_only = on; pragma cache_size = -16000");
    if (exclusive) opened.push(startCheckpointer(path, writing));
    const log = await openFile(`${path}-wal`, "r+");
    opened.push({ destroy: () => log.close() });
    const total = writing.prepare("select total_changes() as changes");
    const disk = { changes: () => Number(total.get()?.changes), synced: groupSync(() => log.datasync()) };
    const now = async () => clock();
    if (volatile) writing.exec("pragma synchronous = off");
    return guard({
      engine: "sqlite",
      reader,
      writer,
      wake: emitterWake(),
      now,
      ...(volatile ? {} : { disk }),
      onSlowWrite,
      close,
    });
  } catch (error) {
    await close();
    throw unusable(folder, error);
  }
}

/** Only for the server: what lives shortly leaves it to SQLite, which does it in the thread of whoever commits. */
function startCheckpointer(path: string, writing: DatabaseSync): { destroy(): Promise<void> } {
  const every = (pages: number) => writing.exec(`pragma wal_autocheckpoint = ${pages}`);
  const thread = new Worker(new URL("./checkpointer.ts", import.meta.url), { workerData: { path } });
  thread.unref();
  thread.on("error", () => every(1_000));
  every(16_384);
  return { destroy: async () => void (await thread.terminate()) };
}

function kysely(connection: DatabaseSync): Query {
  return new Kysely<Tables>({ dialect: strict(sqliteDialect(connection)) });
}

/** Explains what the system and SQLite say; our own errors are clear already. */
function unusable(folder: string, cause: unknown): unknown {
  if (!Error.isError(cause) || !("code" in cause)) return cause;
  const advice = "Signalbox needs a folder that its user may write to, with the database that it made there (DATA_DIR)";
  return new Error(`Cannot open the database in ${folder}: ${cause.message}. ${advice}`, { cause });
}
