import { type Kysely, type Migration, sql } from "kysely";
import type { Engine } from "../connection.ts";
import { firstTables } from "./0001-first-tables.ts";
import { people } from "./0002-people.ts";
import { comments } from "./0003-comments.ts";
import { turns } from "./0004-turns.ts";
import { receiptJournal } from "./0005-receipt-journal.ts";
import { pushers } from "./0006-pushers.ts";
import { pages } from "./0009-pages.ts";
import { recovery } from "./0010-recovery.ts";
import { chats } from "./0011-chats.ts";
import { merging } from "./0011-merging.ts";
import { previews } from "./0012-previews.ts";
import { edits } from "./0013-edits.ts";

/**
 * Brings the tables up to date, all or nothing, in the order of this list. A name that is out in the world never changes: databases know by it what
 * they have. Several servers may start at once: one migrates, the others wait.
 */
// biome-ignore lint/suspicious/noExplicitAny: Kysely's own type for a database whose tables are being made.
export async function migrate(db: Kysely<any>, engine: Engine): Promise<void> {
  const migrations: Record<string, Migration> = {
    "0001-first-tables": firstTables(engine),
    "0002-people": people(engine),
    "0003-comments": comments(),
    "0004-turns": turns(),
    "0005-receipt-journal": receiptJournal(),
    "0006-pushers": pushers(),
    "0009-pages": pages(),
    "0010-recovery": recovery(),
    "0012-previews": previews(),
    "0011-chats": chats(),
    "0011-merging": merging(),
    "0013-edits": edits(),
  };
  await db.transaction().execute(async (tx) => {
    // On SQLite the transaction itself is the lock.
    if (engine === "postgres") await sql`select pg_advisory_xact_lock(hashtext('signalbox migrations'))`.execute(tx);
    await sql`create table if not exists migration (name text primary key, applied_at bigint not null)`.execute(tx);
    const { rows } = await sql<{ name: string }>`select name from migration`.execute(tx);
    const applied = new Set(rows.map((row) => row.name));
    refuseNewer(applied, migrations);
    for (const [name, migration] of Object.entries(migrations)) {
      if (applied.has(name)) continue;
      await migration.up(tx).catch((cause) => {
        throw new Error(`The database could not be brought up to date (migration ${name}); nothing was changed`, { cause });
      });
      await sql`insert into migration (name, applied_at) values (${name}, ${Date.now()})`.execute(tx);
    }
  });
}

function refuseNewer(applied: ReadonlySet<string>, known: Record<string, Migration>): void {
  const newer = [...applied].find((name) => !(name in known));
  if (newer === undefined) return;
  throw new Error(`The database was written by a newer Signalbox (migration ${newer}): start that version, or restore a backup`);
}
