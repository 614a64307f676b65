import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult, TransactionSettings } from "kysely";

/**
 * Makes both engines behave alike, so that what passes on SQLite passes on PostgreSQL: the same values are taken, and a statement
 * that fails ends its transaction. Catching the error does not save the transaction: nothing of it is committed, and it rejects with that error.
 */
export function strict(dialect: Dialect): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createDriver: () => new StrictDriver(dialect.createDriver()),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  };
}

class StrictDriver implements Driver {
  readonly #inner: Driver;

  constructor(inner: Driver) {
    this.#inner = inner;
  }

  init(): Promise<void> {
    return this.#inner.init();
  }

  async acquireConnection(): Promise<StrictConnection> {
    return new StrictConnection(await this.#inner.acquireConnection());
  }

  async beginTransaction(connection: StrictConnection, settings: TransactionSettings): Promise<void> {
    await this.#inner.beginTransaction(connection.inner, settings);
    connection.inTransaction = true;
  }

  // PostgreSQL answers the commit of a failed transaction with a silent rollback.
  async commitTransaction(connection: StrictConnection): Promise<void> {
    if (connection.failure !== null) throw connection.failure.error;
    await this.#inner.commitTransaction(connection.inner);
  }

  async rollbackTransaction(connection: StrictConnection): Promise<void> {
    try {
      await this.#inner.rollbackTransaction(connection.inner);
    } catch {
      // There is nothing to roll back any more: the connection is gone, or a full disk has done it. The error that led here tells more.
    }
  }

  releaseConnection(connection: StrictConnection): Promise<void> {
    return this.#inner.releaseConnection(connection.inner);
  }

  destroy(): Promise<void> {
    return this.#inner.destroy();
  }
}

class StrictConnection implements DatabaseConnection {
  readonly inner: DatabaseConnection;
  inTransaction = false;
  failure: { readonly error: unknown } | null = null;

  constructor(inner: DatabaseConnection) {
    this.inner = inner;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.failure !== null) {
      throw new Error("An earlier statement of this transaction failed, so it is over: let that error pass", {
        cause: this.failure.error,
      });
    }
    try {
      return await this.inner.executeQuery<R>({ ...query, parameters: query.parameters.map(toSqlValue) });
    } catch (error) {
      if (this.inTransaction) this.failure = { error };
      throw error;
    }
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for the method; no caller of ours streams.
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error("Streaming is not available on both engines: read by range instead");
  }
}

/**
 * What is no SQL value on both engines is refused: `node:sqlite` stores a lone Date as NULL, `pg` turns it and arrays into text of its own.
 * U+0000 becomes U+FFFD, because PostgreSQL cannot store it and hostile text must not stop a transaction.
 */
function toSqlValue(value: unknown): string | number | bigint | Uint8Array | null {
  if (typeof value === "string") return value.includes("\0") ? value.replaceAll("\0", "\uFFFD") : value;
  if (value === null || value instanceof Uint8Array) return value;
  if (typeof value === "number" && Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value)))
    return value;
  if (typeof value === "bigint" && Number.isSafeInteger(Number(value))) return value;
  const what = typeof value === "number" || typeof value === "bigint" ? `${value}` : Object.prototype.toString.call(value);
  throw new TypeError(`Cannot store ${what}: use whole numbers below 2^53, epoch milliseconds, 0 or 1, and JSON as text`);
}
