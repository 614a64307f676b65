import type { CreateTableBuilder } from "kysely";
import type { Engine } from "../connection.ts";

export type { Engine } from "../connection.ts";

/** Adds the number that the database itself gives each row. On SQLite it is never given twice, also not after the last row was removed. */
export function withId(table: CreateTableBuilder<string, never>, engine: Engine) {
  return engine === "sqlite"
    ? table.addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
    : table.addColumn("id", "bigserial", (column) => column.primaryKey());
}
