import { type Kysely, type Migration, sql } from "kysely";

/** How far the receipt journal has been moved into the table of receipts: one row. */
export function receiptJournal(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("receipt_journal")
        .addColumn("moved", "bigint", (c) => c.notNull())
        .execute();
      await sql`insert into receipt_journal (moved) values (0)`.execute(db);
    },
  };
}
