import type { Query, Transaction } from "../../database/connection.ts";
import type { Reply } from "./words.ts";

/** A comment that was obeyed (or refused) before. */
export interface Heard extends Reply {
  readonly isAnswered: boolean;
}

/** After so many refusals within ten minutes a person's comments are ignored, so that nobody can make us write at GitHub without end. */
const mostRefusals = 3;
const window = 10 * 60_000;

export async function findHeard(db: Query, comment: number): Promise<Heard | null> {
  const row = await db.selectFrom("comment").selectAll().where("id", "=", comment).executeTakeFirst();
  if (row === undefined) return null;
  const { reaction, answer, answered_at: answeredAt } = row;
  return { reaction, answer, isAnswered: answeredAt !== null };
}

/** Keeps what a comment gets, in the transaction in which it is obeyed. A second time the transaction is refused: nothing is obeyed twice. */
export async function keepHeard(
  tx: Transaction,
  comment: { readonly id: number; readonly repository: number; readonly person: number },
  reply: Reply,
): Promise<void> {
  const { id, repository, person } = comment;
  await tx.db
    .insertInto("comment")
    .values({ id, repository, person_id: person, ...reply, heard_at: tx.now, answered_at: null })
    .execute();
}

export async function keepAnswered(tx: Transaction, comment: number): Promise<void> {
  await tx.db.updateTable("comment").set({ answered_at: tx.now }).where("id", "=", comment).execute();
}

/** Whether a person without permission has been refused too often of late. */
export async function isTiresome(tx: Transaction, repository: number, person: number): Promise<boolean> {
  const refusals = await tx.db
    .selectFrom("comment")
    .select("id")
    .where("repository", "=", repository)
    .where("person_id", "=", person)
    .where("heard_at", ">", tx.now - window)
    .where("reaction", "=", "-1")
    .limit(mostRefusals)
    .execute();
  return refusals.length === mostRefusals;
}
