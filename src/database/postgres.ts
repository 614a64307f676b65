import { mkdirSync } from "node:fs";
import { type Dialect, Kysely, PostgresDialect, type PostgresPool, sql } from "kysely";
import pg from "pg";
import type { Database, DatabaseOptions, Query } from "./connection.ts";
import { guard } from "./guard.ts";
import { migrate } from "./migrations/index.ts";
import type { Tables } from "./schema.ts";
import { lockForServer } from "./server-lock.ts";
import { strict } from "./strict.ts";
import { postgresWake } from "./wake-postgres.ts";

/** Opens a pool of connections and one more that listens. */
export async function openOnPostgres(
  url: string,
  { clock, exclusive = false, folder, volatile = false }: DatabaseOptions,
): Promise<Database> {
  // Workspaces and processes are found by the folder: of two replicas on one machine each needs its own.
  if (exclusive) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = exclusive ? lockForServer(folder) : null;
  const wake = await postgresWake(url).catch((error) => {
    void lock?.destroy();
    throw new Error(`Cannot connect to PostgreSQL at ${new URL(url).host} (DATABASE_URL): ${reasonOf(error)}`, { cause: error });
  });
  const db = new Kysely<Tables>({ dialect: strict(postgresDialect(url, { queries: 20_000, connections: 10, volatile })) });
  const close = async () => {
    await wake.close();
    await db.destroy();
    await lock?.destroy();
  };
  // An index on a long table takes its time.
  const patient = new Kysely<Tables>({ dialect: strict(postgresDialect(url, { queries: 3_600_000, connections: 1, volatile })) });
  try {
    await migrate(patient, "postgres");
  } catch (error) {
    await close();
    throw error;
  } finally {
    await patient.destroy();
  }
  const now = async (tx: Query) => clock?.() ?? (await clockOf(tx));
  return guard({ engine: "postgres", reader: db, writer: db, wake, now, close });
}

const clock = "select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now";

/** Answered by what came with the transaction's beginning. */
async function clockOf(tx: Query): Promise<number> {
  const { rows } = await sql<{ now: number }>`${sql.raw(clock)}`.execute(tx);
  return rows[0]?.now ?? Date.now();
}

interface Limits {
  /** Milliseconds after which a statement counts as unanswered: the network may have gone without a word. */
  readonly queries: number;
  readonly connections: number;
  readonly volatile: boolean;
}

/**
 * Kysely on a pool of connections to PostgreSQL, with numbers as numbers. Closed with Kysely's `destroy`. A transaction that its process left
 * open, because that was cut off, is ended by the server: until then its locks would make it look alive.
 */
function postgresDialect(url: string, { queries, connections, volatile }: Limits): Dialect {
  const types = {
    getTypeParser: ((oid: number, format?: "text" | "binary") => parserOf(oid, format)) as typeof pg.types.getTypeParser,
  };
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 30_000,
    keepAlive: true,
    query_timeout: queries,
    idle_in_transaction_session_timeout: Math.min(queries, 10_000),
    types,
    ...(volatile ? { options: "-c synchronous_commit=off" } : {}),
  });
  // A connection that breaks is replaced by the pool, and its query rejects; without listeners the error would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => void client.on("error", () => {}));
  return new PostgresDialect({ pool: connectionsOf(pool) });
}

/**
 * Two things are not as the pool has them. A connection on which an answer is overdue is discarded: the next one would wait behind that. And a
 * transaction begins with a look at the clock in the same message, since each of them asks for it.
 */
function connectionsOf(pool: pg.Pool): PostgresPool {
  return {
    async connect() {
      const client = await pool.connect();
      let isOverdue = false;
      let looked: pg.QueryResult | undefined;
      // The type knows cursors too, which `strict` refuses.
      // biome-ignore lint/suspicious/noExplicitAny: rows are whatever was asked for.
      const query: any = async (text: string, values: readonly unknown[]) => {
        try {
          if (text === clock && looked !== undefined) return looked;
          if (text !== "begin") return await client.query(text, [...values]);
          // Several statements in one have several results, which the types do not know.
          const results: unknown = await client.query(`begin; ${clock}`);
          const [began, now] = results as [pg.QueryResult, pg.QueryResult];
          looked = now;
          return began;
        } catch (error) {
          isOverdue ||= Error.isError(error) && error.message === "Query read timeout";
          throw error;
        }
      };
      return { query, release: () => client.release(isOverdue) };
    },
    end: () => pool.end(),
  };
}

/** int8, count and sum come as text from `pg`; ours all fit a number. */
function parserOf(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  if (oid === pg.types.builtins.INT8) return toSafeInteger;
  if (oid === pg.types.builtins.NUMERIC) return Number;
  return pg.types.getTypeParser(oid, format ?? "text");
}

function toSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`The database holds ${text}, which is beyond 2^53`);
  return value;
}

/** When every address of a host refuses, Node's error has no message of its own. */
function reasonOf(error: unknown): string {
  if (!Error.isError(error)) return String(error);
  return error.message === "" && "errors" in error && Array.isArray(error.errors)
    ? error.errors.map(reasonOf).join(", ")
    : error.message;
}
