import { sql } from "kysely";
import type { Database, Transaction } from "../database/connection.ts";
import { subjectFromText } from "../runs/reports.ts";
import type { Report } from "./say.ts";

/** How long a reporter may be silent before another replica may say what it held, in milliseconds. */
const hold = 15_000;
const beatEvery = 5_000;
/** A reporter that could not renew its hold for so long breaks its requests off, so that none arrives after another's. */
const giveUpAfter = 10_000;

/** Takes reports that are due; nobody else says them as long as they are held. */
export async function takeDue(database: Database, holder: string, most: number): Promise<readonly Report[]> {
  return database.write(async (tx) => {
    const due = tx.db
      .selectFrom("report")
      .select("subject")
      .whereRef("sent", "<", "wanted")
      .where("not_before", "<=", tx.now)
      // What is to be said of a repository that the App lost is said when it comes back.
      .where("repository", "in", (is) => is.selectFrom("repository").select("id").where("active", "=", 1))
      .orderBy("not_before")
      .limit(most);
    const subjects = await (tx.engine === "postgres" ? due.forUpdate().skipLocked() : due).execute();
    if (subjects.length === 0) return [];
    const rows = await tx.db
      .updateTable("report")
      .set((is) => ({ not_before: tx.now + hold, attempts: is("attempts", "+", 1), holder }))
      .where(
        "subject",
        "in",
        subjects.map((row) => row.subject),
      )
      .returningAll()
      .execute();
    return rows.map((row) => ({ ...row, subject: subjectFromText(row.subject), key: row.subject }));
  });
}

/** At the start of the only server nobody else holds a report: what a dead server held is due at once. */
export async function freeReports(database: Database): Promise<void> {
  await database.write((tx) => tx.db.updateTable("report").set({ not_before: 0 }).whereRef("sent", "<", "wanted").execute());
}

/** Renews the hold, and breaks off when it could not be renewed for too long. */
export function keepHolding(database: Database, holder: string, report: Report): { readonly signal: AbortSignal; stop(): void } {
  const lost = new AbortController();
  let renewedAt = performance.now();
  const beat = async () => {
    const askedAt = performance.now();
    await database.write((tx) =>
      held(tx, report, holder)
        .set({ not_before: tx.now + hold })
        .execute(),
    );
    renewedAt = askedAt;
  };
  const timer = setInterval(() => {
    if (performance.now() - renewedAt > giveUpAfter) lost.abort(new Error("the database was away for too long"));
    else beat().catch(() => {});
  }, beatEvery);
  return { signal: lost.signal, stop: () => clearInterval(timer) };
}

interface Settlement {
  readonly sent?: number;
  readonly said?: string | null;
  readonly attempts?: number;
  readonly not_before?: number;
  /** Milliseconds until it is tried again, by the database's clock. */
  readonly wait?: number;
  readonly problem: string | null;
}

/** Keeps what came of a report. When another replica has taken the report meanwhile, what GitHub shows may be ours or theirs: then the truth is said once more. */
export async function settle(database: Database, holder: string, report: Report, { wait, ...values }: Settlement): Promise<void> {
  await database.write(async (tx) => {
    const later = wait === undefined ? {} : { not_before: tx.now + wait };
    const settled = await held(tx, report, holder)
      .set({ ...values, ...later, holder: null })
      .returning("subject")
      .executeTakeFirst();
    if (settled !== undefined) return;
    await tx.db
      .updateTable("report")
      .set({ wanted: sql`wanted + 1`, said: null, attempts: 1 })
      .where("subject", "=", report.key)
      .execute();
    tx.ring("reports");
  });
}

function held(tx: Transaction, report: Report, holder: string) {
  return tx.db.updateTable("report").where("subject", "=", report.key).where("holder", "=", holder);
}
