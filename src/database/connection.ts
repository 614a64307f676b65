import type { Kysely, Transaction as KyselyTransaction } from "kysely";
import type { Tables } from "./schema.ts";
import { openOnSqlite } from "./sqlite-folder.ts";
import type { Topic, Wake } from "./wake.ts";

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
  /**
   * Commits when `work` resolves, rolls back when it rejects; resolves when what was committed survives a power cut. On SQLite one at a time, in
   * order of the calls. On PostgreSQL `work` is called again, up to five times, when its transaction had to give way to another (a deadlock, a
   * serialization failure): what it does besides the transaction must bear repetition.
   */
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
  /** For tests whose question is not what survives a power cut: nothing is synced to the disk. */
  readonly volatile?: boolean;
  /** Instead of the database's own clock, for tests. */
  readonly clock?: () => number;
  /** Told of a transaction on SQLite that awaited something else than the database: the fault stalls everybody. */
  readonly onSlowWrite?: (error: Error) => void;
}

/** Opens the database and brings its tables up to date. Safe when several servers start at once. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  if (options.url === null) return openOnSqlite(options);
  // Most servers never need it, and a start is as fast as what it loads.
  const { openOnPostgres } = await import("./postgres.ts");
  return openOnPostgres(options.url, options);
}

/** Whether a write was refused by a unique index, on either engine. */
export function isUniqueViolation(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  if ("code" in error && error.code === "23505") return true;
  // SQLITE_CONSTRAINT_UNIQUE and SQLITE_CONSTRAINT_PRIMARYKEY, https://www.sqlite.org/rescode.html
  return "errcode" in error && (error.errcode === 2067 || error.errcode === 1555);
}
