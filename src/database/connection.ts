import { AsyncLocalStorage } from "node:async_hooks";
import { mkdirSync } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { join } from "node:path";
import { Kysely, type Transaction as KyselyTransaction, sql } from "kysely";
import { groupSync } from "./group-sync.ts";
import { migrate } from "./migrations/index.ts";
import { postgresDialect } from "./postgres.ts";
import type { Tables } from "./schema.ts";
import { lockForServer } from "./server-lock.ts";
import { openSqlite, sqliteDialect } from "./sqlite.ts";
import { strict } from "./strict.ts";
import { emitterWake, type Topic, type Wake } from "./wake.ts";
import { postgresWake } from "./wake-postgres.ts";

export type Engine = "sqlite" | "postgres";
export type Query = Kysely<Tables>;

/** One transaction; nothing slow is awaited in it. */
export interface Transaction {
  readonly db: KyselyTransaction<Tables>;
  readonly engine: Engine;
  /** The database's clock when the transaction began, in epoch milliseconds: all replicas agree on it. */
  readonly now: number;
  /** Rings after the commit, never when it is rolled back. */
  ring(topic: Topic): void;
}

/** The only two ways to the tables. Neither may be used inside a `write`: that would wait for itself, so it throws. */
export interface Database {
  readonly engine: Engine;
  readonly wake: Wake;
  /** Sees only what is committed. */
  read<T>(query: (db: Query) => Promise<T>): Promise<T>;
  /** Commits when `work` resolves, rolls back when it rejects; resolves when what was committed survives a power cut. On SQLite one at a time, in order of the calls. */
  write<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Lets what is under way finish, and refuses what comes later. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** `postgres://…`; without it SQLite in `folder`. */
  readonly url: string | null;
  readonly folder: string;
  /** For the server: on SQLite it is the only one in this folder, until it ends. The command line may open the database beside it. */
  readonly exclusive?: boolean;
  /** Instead of the database's own clock, for tests. */
  readonly clock?: () => number;
  /** Told of a transaction on SQLite that awaited something else than the database: the fault stalls everybody. */
  readonly onSlowWrite?: (error: Error) => void;
}

/** Opens the database and brings its tables up to date. Safe when several servers start at once. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  return options.url === null ? openOnSqlite(options) : openOnPostgres(options.url, options);
}

async function openOnSqlite({ folder, exclusive = false, clock = Date.now, onSlowWrite }: DatabaseOptions): Promise<Database> {
  const opened: { destroy(): Promise<void> }[] = [];
  const close = async () => {
    for (const part of opened.toReversed()) await part.destroy();
  };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (exclusive) opened.push(lockForServer(folder));
    const [writer, reader] = [open(), open()];
    await migrate(writer, "sqlite");
    await sql`pragma query_only = on`.execute(reader);
    const log = await openFile(join(folder, "signalbox.db-wal"), "r+");
    opened.push({ destroy: () => log.close() });
    const synced = groupSync(() => log.datasync());
    const now = async () => clock();
    return guarded({ engine: "sqlite", reader, writer, wake: emitterWake(), now, synced, onSlowWrite, close });
  } catch (error) {
    await close();
    throw unusable(folder, error);
  }

  function open(): Query {
    const db = new Kysely<Tables>({ dialect: strict(sqliteDialect(openSqlite(join(folder, "signalbox.db")))) });
    opened.push(db);
    return db;
  }
}

async function openOnPostgres(url: string, { clock }: DatabaseOptions): Promise<Database> {
  const wake = await postgresWake(url).catch((error) => {
    throw new Error(`Cannot connect to PostgreSQL at ${new URL(url).host} (DATABASE_URL): ${reasonOf(error)}`, { cause: error });
  });
  const db = new Kysely<Tables>({ dialect: strict(postgresDialect(url)) });
  const close = async () => {
    await wake.close();
    await db.destroy();
  };
  try {
    await migrate(db, "postgres");
  } catch (error) {
    await close();
    throw error;
  }
  const now = async (tx: Query) => clock?.() ?? (await clockOf(tx));
  return guarded({ engine: "postgres", reader: db, writer: db, wake, now, close });
}

async function clockOf(tx: Query): Promise<number> {
  const { rows } = await sql<{ now: number }>`select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now`.execute(
    tx,
  );
  return rows[0]?.now ?? Date.now();
}

/** Explains what the system and SQLite say; our own errors are clear already. */
function unusable(folder: string, cause: unknown): unknown {
  if (!Error.isError(cause) || !("code" in cause)) return cause;
  const advice = "Signalbox needs a folder that its user may write to, with the database that it made there (DATA_DIR)";
  return new Error(`Cannot open the database in ${folder}: ${cause.message}. ${advice}`, { cause });
}

/** When every address of a host refuses, Node's error has no message of its own. */
function reasonOf(error: unknown): string {
  if (!Error.isError(error)) return String(error);
  return error.message === "" && "errors" in error && Array.isArray(error.errors)
    ? error.errors.map(reasonOf).join(", ")
    : error.message;
}

interface Parts {
  readonly engine: Engine;
  readonly reader: Query;
  readonly writer: Query;
  readonly wake: Wake;
  readonly onSlowWrite?: ((error: Error) => void) | undefined;
  now(tx: Query): Promise<number>;
  /** What is committed now is durable once this resolves. */
  synced?(): Promise<void>;
  close(): Promise<void>;
}

function guarded({ engine, reader, writer, wake, now, synced, onSlowWrite, close }: Parts): Database {
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

  async function transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const topics = new Set<Topic>();
    const scope = { over: false };
    const result = await writer.transaction().execute((db) =>
      inside.run(scope, async () => {
        const unwatch = watchForSlowAwait(onSlowWrite);
        try {
          return await work({ db, engine, now: await now(db), ring: (topic) => void topics.add(topic) });
        } finally {
          scope.over = true;
          unwatch();
        }
      }),
    );
    await synced?.();
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

/** On SQLite every answer comes within the same turn of the event loop, so a turn that passes means: something else was awaited. */
function watchForSlowAwait(report: ((error: Error) => void) | undefined): () => void {
  if (report === undefined) return () => {};
  const error = new Error("A database write awaited something other than the database; do that before or after it");
  const immediate = setImmediate(() => report(error));
  return () => clearImmediate(immediate);
}

/** Whether a write was refused by a unique index, on either engine. */
export function isUniqueViolation(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  if ("code" in error && error.code === "23505") return true;
  // SQLITE_CONSTRAINT_UNIQUE and SQLITE_CONSTRAINT_PRIMARYKEY, https://www.sqlite.org/rescode.html
  return "errcode" in error && (error.errcode === 2067 || error.errcode === 1555);
}
