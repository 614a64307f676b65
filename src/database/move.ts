import { sql } from "kysely";
import type { Database, Query, Transaction } from "./connection.ts";

/** How many rows of each table were copied. */
export type Copied = readonly { readonly table: string; readonly rows: number }[];

/**
 * Copies everything from SQLite into an empty PostgreSQL, in one transaction: all of it or nothing. No server may run on either meanwhile. Rejects
 * when there is something in the target already.
 */
export async function moveToPostgres(source: Database, target: Database): Promise<Copied> {
  const tables = await source.read(tablesOf);
  return target.write(async (tx) => {
    const copied: { table: string; rows: number }[] = [];
    for (const table of telling) await refuseFull(tx, table);
    for (const { table, columns } of tables) {
      await sql`delete from ${sql.table(table)}`.execute(tx.db);
      copied.push({ table, rows: await copy(source, tx, table, columns) });
      if (columns.includes("id")) await goOnCounting(tx, table);
    }
    return copied;
  });
}

interface Table {
  readonly table: string;
  /** Those that hold something: what is generated is generated there too. */
  readonly columns: readonly string[];
}

async function tablesOf(db: Query): Promise<readonly Table[]> {
  const { rows } = await sql<{ name: string }>`
    select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name <> 'migration' order by name`.execute(
    db,
  );
  const tables: Table[] = [];
  for (const { name } of rows) {
    const columns = await sql<{ name: string; hidden: number }>`select name, hidden from pragma_table_xinfo(${name})`.execute(db);
    tables.push({ table: name, columns: columns.rows.filter(({ hidden }) => hidden === 0).map((column) => column.name) });
  }
  return tables;
}

/** What a server that has worked has something in; other tables have a row from their making. */
const telling = ["receipt", "repository", "run", "secret", "history"];

async function refuseFull(tx: Transaction, table: string): Promise<void> {
  const { rows } = await sql`select 1 from ${sql.table(table)} limit 1`.execute(tx.db);
  if (rows.length > 0) throw new Error(`The PostgreSQL database is not empty (table ${table}): give Signalbox one of its own`);
}

/** Well below the engine's limit on parameters, and at most a few megabytes of log at once. */
const atOnce = 100;

async function copy(source: Database, tx: Transaction, table: string, columns: readonly string[]): Promise<number> {
  const names = sql.join(columns.map((column) => sql.ref(column)));
  let count = 0;
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const { rows } = await source.read((db) =>
      sql<Record<string, unknown> & { readonly rowid_: number }>`
        select rowid as rowid_, ${names} from ${sql.table(table)} where rowid > ${after} order by rowid limit ${atOnce}`.execute(
        db,
      ),
    );
    const last = rows.at(-1);
    if (last === undefined) return count;
    const values = rows.map((row) => sql`(${sql.join(columns.map((column) => sql`${row[column]}`))})`);
    await sql`insert into ${sql.table(table)} (${names}) values ${sql.join(values)}`.execute(tx.db);
    count += rows.length;
    after = last.rowid_;
  }
}

/** The next row gets the number after the last one. */
async function goOnCounting(tx: Transaction, table: string): Promise<void> {
  const { rows } = await sql<{ name: string | null }>`select pg_get_serial_sequence(${table}, 'id') as name`.execute(tx.db);
  const sequence = rows[0]?.name;
  if (sequence == null) return;
  await sql`select setval(${sequence}, coalesce((select max(id) from ${sql.table(table)}), 1), (select count(*) > 0 from ${sql.table(table)}))`.execute(
    tx.db,
  );
}
