import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";

/** Kysely on `node:sqlite`: one connection, one user of it at a time, first come first served. It is closed with Kysely's `destroy`. */
export function sqliteDialect(connection: DatabaseSync): Dialect {
  return {
    createAdapter: () => new TransactionalDdl(),
    createDriver: () => new SqliteDriver(connection),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/**
 * Opens the database file with a write-ahead log. A power cut cannot damage it, but what is committed survives one only after a sync of the
 * log, which is the opener's to do: SQLite's own ("synchronous = full") would stop the event loop at every commit.
 */
export function openSqlite(path: string): DatabaseSync {
  const connection = new DatabaseSync(path, { timeout: patience });
  try {
    connection.exec(
      "pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on; pragma temp_store = memory;",
    );
    // From here on SQLite itself waits a moment only, because that stops the event loop; after it we wait without stopping it.
    connection.exec("pragma busy_timeout = 5");
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** SQLite can roll back DDL; Kysely's own adapter does not say so. */
class TransactionalDdl extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class SqliteDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #connection: SqliteConnection;
  #free: Promise<void> = Promise.resolve();
  #release: (() => void) | null = null;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#connection = new SqliteConnection(database);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const turn = this.#free;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#free = promise;
    await turn;
    this.#release = resolve;
    return this.#connection;
  }

  // "begin immediate": a deferred transaction that reads before it writes fails at once when another process has written.
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("commit"));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("rollback"));
  }

  async releaseConnection(): Promise<void> {
    this.#release?.();
  }

  /** Waits for those whose turn was promised before. */
  async destroy(): Promise<void> {
    await this.acquireConnection();
    this.#database.close();
    await this.releaseConnection();
  }
}

/** Whether another connection held the lock. SQLITE_BUSY and its kin, https://www.sqlite.org/rescode.html */
export function isBusy(error: unknown): boolean {
  return typeof error === "object" && error !== null && "errcode" in error && (Number(error.errcode) & 0xff) === 5;
}

/** How long to wait, in milliseconds, while another process writes. */
const patience = 10_000;

interface Prepared {
  readonly statement: StatementSync;
  /** Only a statement with columns returns rows; asking "run" of such a one would silently return none. */
  readonly reads: boolean;
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, Prepared>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { statement, reads } = this.#prepare(query.sql);
    const parameters = query.parameters as SQLInputValue[]; // checked in strict.ts
    const deadline = performance.now() + patience;
    for (;;) {
      try {
        if (reads) return { rows: statement.all(...parameters) as R[] };
        const { changes, lastInsertRowid } = statement.run(...parameters);
        return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
      } catch (error) {
        if (!isBusy(error) || this.#database.isTransaction || performance.now() > deadline) throw error;
        await delay(5);
      }
    }
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for the method; no caller of ours streams.
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error("Streaming is not available on SQLite: read by range instead");
  }

  #prepare(sql: string): Prepared {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    const prepared = { statement, reads: statement.columns().length > 0 };
    if (this.#statements.size >= 500) this.#statements.clear();
    this.#statements.set(sql, prepared);
    return prepared;
  }
}
