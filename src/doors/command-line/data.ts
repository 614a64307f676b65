import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { backUp } from "../../database/backup.ts";
import { type Database, openDatabase } from "../../database/connection.ts";
import { openJournal } from "../../database/journal/journal.ts";
import { moveToPostgres } from "../../database/move.ts";
import { home } from "../../settings/read-values.ts";
import { loadEnvironment, readSettings, type Settings } from "../../settings.ts";
import { UsageError } from "./usage.ts";

/** `backup FILE`: a copy of the database, made while the server runs. */
export async function backupCommand(file: string | undefined): Promise<number> {
  if (file === undefined) throw new UsageError("backup needs a FILE");
  const { databaseUrl, dataDir } = settings();
  if (databaseUrl !== null) {
    throw new Error("The database is PostgreSQL (DATABASE_URL), which has its own tool: pg_dump --format=custom --file=FILE");
  }
  await backUp(dataDir, resolve(file));
  console.log(`${file} holds the database, without the key that opens its secrets: keep ${dataDir}/secret.key elsewhere`);
  return 0;
}

/** `move`: everything from SQLite in DATA_DIR into the PostgreSQL of DATABASE_URL, whose password so stands in no list of processes. */
export async function moveCommand(): Promise<number> {
  const { databaseUrl, dataDir } = settings();
  if (databaseUrl === null) throw new Error("DATABASE_URL is missing: set it to the PostgreSQL database that Signalbox moves to");
  // Alone in the folder: rejects while a server runs there.
  const source = await openDatabase({ url: null, folder: dataDir, exclusive: true });
  try {
    await refuseUnmoved(source, dataDir);
    const target = await openDatabase({ url: databaseUrl, folder: dataDir });
    try {
      for (const { table, rows } of await moveToPostgres(source, target)) if (rows > 0) console.log(`${table}: ${rows}`);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  console.log("Everything is in PostgreSQL. Start Signalbox with this DATABASE_URL; the old database stays where it is.");
  return 0;
}

/** A server that was killed may have left webhooks in its journal, which it moves into the database when it starts. */
async function refuseUnmoved(source: Database, folder: string): Promise<void> {
  const row = await source.read((db) => db.selectFrom("receipt_journal").select("moved").executeTakeFirst());
  const journal = await openJournal({ path: join(folder, "receipts.journal"), released: row?.moved ?? 0 });
  const left = journal.backlog();
  await journal.close();
  if (left > 0)
    throw new Error("Webhooks wait in the journal of a server that was killed: start Signalbox once more, stop it, then move");
}

function settings(): Settings {
  const read = readSettings(loadEnvironment(home, process.env), { read: (path) => readFileSync(path, "utf8") });
  if (read.kind === "settings") return read.settings;
  const why = read.kind === "problems" ? read.problems.join("\n  ") : "there is no App yet";
  throw new Error(`The server's settings are needed:\n  ${why}`);
}
