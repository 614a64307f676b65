import type { Query, Transaction } from "../database/connection.ts";

/** A pull request that may have to be merged. */
export interface Candidate {
  readonly repository: number;
  readonly number: number;
  /** Rises with whatever may change the decision. */
  readonly wanted: number;
  /** How often in a row it was looked at without news. */
  readonly tries: number;
  /** The head that GitHub was last asked to merge: stored first, since merging is not idempotent. */
  readonly askedSha: string | null;
  /** Why it is not merged, as it was said last. */
  readonly said: string | null;
  /** GitHub's id of the comment that says it. */
  readonly comment: number | null;
  readonly createdAt: Date;
}

/** Longer than all requests of one look may take together, in milliseconds. */
const hold = 120_000;

/** How many are thought through at once. */
const most = 20;

/** Takes those that must be thought through; a look that finds none costs no transaction. Several servers may: each row goes to one. */
export async function takeDue(tx: Transaction): Promise<readonly Candidate[]> {
  const due = dueNow(tx.db, tx.now).selectAll().orderBy("not_before").limit(most);
  const rows = await (tx.engine === "postgres" ? due.forUpdate().skipLocked() : due).execute();
  for (const { repository, number } of rows)
    await tx.db
      .updateTable("merge_candidate")
      .set({ held_until: tx.now + hold })
      .where("repository", "=", repository)
      .where("number", "=", number)
      .execute();
  return rows.map((row) => ({
    repository: row.repository,
    number: row.number,
    wanted: row.wanted,
    tries: row.tries,
    askedSha: row.asked_sha,
    said: row.said,
    comment: row.comment,
    createdAt: new Date(row.created_at),
  }));
}

/** Whether there may be any. */
export async function isAnyDue(db: Query): Promise<boolean> {
  return (
    (await dueNow(db, Date.now() + 60_000)
      .select("number")
      .limit(1)
      .executeTakeFirst()) !== undefined
  );
}

function dueNow(db: Query, now: number) {
  return db
    .selectFrom("merge_candidate")
    .where("not_before", "<=", now)
    .where("held_until", "<=", now)
    .where("repository", "in", (is) => is.selectFrom("repository").select("id").where("active", "=", 1));
}

/** Nobody wants it merged, or it is. */
export async function forget(tx: Transaction, { repository, number }: Pick<Candidate, "repository" | "number">): Promise<void> {
  await tx.db.deleteFrom("merge_candidate").where("repository", "=", repository).where("number", "=", number).execute();
}

/** How often it is looked at by itself, for what no event tells: a review where those are not subscribed to. */
const mostLooks = 12;
const never = Number.MAX_SAFE_INTEGER;

/** Lets it go until an event tells of it, or the next look: after one minute, two, four … at most an hour, a dozen times. */
export async function putAside(tx: Transaction, { repository, number, wanted, tries }: Candidate): Promise<void> {
  const next = tries >= mostLooks ? never : tx.now + Math.min(3_600_000, 60_000 * 2 ** tries);
  await settle(tx, { repository, number }, { wanted, notBefore: next, tries: tries + 1 });
}

/** Looks again after so many milliseconds. */
export async function lookAgain(tx: Transaction, { repository, number, wanted, tries }: Candidate, wait: number): Promise<void> {
  await settle(tx, { repository, number }, { wanted, notBefore: tx.now + wait, tries: tries + 1 });
}

/** What has risen meanwhile is due at once. */
async function settle(
  tx: Transaction,
  { repository, number }: Pick<Candidate, "repository" | "number">,
  { wanted, notBefore, tries }: { readonly wanted: number; readonly notBefore: number; readonly tries: number },
): Promise<void> {
  const row = tx.db.updateTable("merge_candidate").where("repository", "=", repository).where("number", "=", number);
  await row.set({ held_until: 0 }).execute();
  await row.set({ not_before: notBefore, tries, done: wanted }).where("wanted", "=", wanted).execute();
}
