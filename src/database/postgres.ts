import { type Dialect, Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import type { Database, DatabaseOptions, Query } from "./connection.ts";
import { guard } from "./guard.ts";
import { migrate } from "./migrations/index.ts";
import type { Tables } from "./schema.ts";
import { strict } from "./strict.ts";
import { postgresWake } from "./wake-postgres.ts";

/** Opens a pool of connections and one more that listens. */
export async function openOnPostgres(url: string, { clock, volatile = false }: DatabaseOptions): Promise<Database> {
  const wake = await postgresWake(url).catch((error) => {
    throw new Error(`Cannot connect to PostgreSQL at ${new URL(url).host} (DATABASE_URL): ${reasonOf(error)}`, { cause: error });
  });
  const db = new Kysely<Tables>({ dialect: strict(postgresDialect(url, volatile)) });
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
  return guard({ engine: "postgres", reader: db, writer: db, wake, now, close });
}

async function clockOf(tx: Query): Promise<number> {
  const { rows } = await sql<{ now: number }>`select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now`.execute(
    tx,
  );
  return rows[0]?.now ?? Date.now();
}

/** Kysely on a pool of connections to PostgreSQL, with numbers as numbers. Closed with Kysely's `destroy`. */
function postgresDialect(url: string, volatile: boolean): Dialect {
  const types = {
    getTypeParser: ((oid: number, format?: "text" | "binary") => parserOf(oid, format)) as typeof pg.types.getTypeParser,
  };
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 30_000,
    keepAlive: true,
    types,
    ...(volatile ? { options: "-c synchronous_commit=off" } : {}),
  });
  // A connection that breaks is replaced by the pool, and its query rejects; without listeners the error would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => void client.on("error", () => {}));
  return new PostgresDialect({ pool });
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
