import { type Dialect, PostgresDialect } from "kysely";
import pg from "pg";

/** Kysely on a pool of connections to PostgreSQL, with numbers as numbers. Closed with Kysely's `destroy`. */
export function postgresDialect(url: string): Dialect {
  const types = {
    getTypeParser: ((oid: number, format?: "text" | "binary") => parserOf(oid, format)) as typeof pg.types.getTypeParser,
  };
  const pool = new pg.Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 30_000, keepAlive: true, types });
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
