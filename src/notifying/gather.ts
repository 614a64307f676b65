import { sql } from "kysely";
import type { Query, Transaction } from "../database/connection.ts";
import type { Repository } from "../github/repository.ts";
import type { Chat } from "../repository-file/repository-file.ts";
import type { NotifyingMeans } from "./means.ts";
import { newsInItsLine, newsNow } from "./subject-news.ts";
import { wantTold } from "./want-told.ts";

/** How many subjects one transaction thinks through. */
const atOnce = 50;

/** The repositories where something has changed that chats were not told of. */
export async function repositoriesWithNews(db: Query): Promise<readonly number[]> {
  const rows = await db
    .selectFrom("report")
    .select("repository")
    .distinct()
    .whereRef("told", "<", "wanted")
    .where("repository", "in", (is) => is.selectFrom("repository").select("id").where("active", "=", 1))
    .execute();
  return rows.map((row) => row.repository);
}

/**
 * Decides what each chat of a repository is to be told of all that has changed, and writes it down. Who is told says the default branch's
 * file; where it names no chat it is not read again before that branch changes. Safe to repeat, and several servers may do it at once.
 */
export async function gather(means: NotifyingMeans, repository: Repository): Promise<void> {
  const { database } = means;
  const tells = await tellsOf(means, repository.id);
  if (tells % 4 === 1 && (await chatsOf(means, repository)).length === 0) return tellNobody(means, repository.id, tells);
  for (;;) {
    const due = await database.read(async (db) => {
      const changed = await changedSubjects(db, repository.id);
      const seen: { subject: string; wanted: number; isNews: boolean }[] = [];
      for (const row of changed) seen.push({ ...row, isNews: (await newsNow(db, row.subject, means, repository)) !== null });
      return seen;
    });
    if (due.length === 0) return;
    const quiet = due.filter(({ isNews }) => !isNews);
    const loud = due.filter(({ isNews }) => isNews).map(({ subject }) => subject);
    const chats = loud.length === 0 ? [] : await chatsOf(means, repository);
    await database.write(async (tx) => {
      if (tells % 4 === 1) await keepTells(tx, repository.id, tells, 2);
      for (const { subject, wanted } of quiet) await settle(tx, subject, wanted);
      if (loud.length > 0) await tellAll(tx, loud, chats, means, repository);
    });
    if (due.length < atOnce) return;
  }
}

/** What is known of whether there are chats; see the column. */
async function tellsOf({ database }: NotifyingMeans, repository: number): Promise<number> {
  const row = await database.read((db) =>
    db.selectFrom("repository").select("tells").where("id", "=", repository).executeTakeFirst(),
  );
  return row?.tells ?? 1;
}

/** Unless the default branch has changed since it was read. */
async function keepTells(tx: Transaction, repository: number, before: number, now: 0 | 2): Promise<boolean> {
  const row = await tx.db
    .updateTable("repository")
    .set({ tells: Math.floor(before / 4) * 4 + now })
    .where("id", "=", repository)
    .where("tells", "=", before)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

/** What changes from now on is no news, until the default branch changes and may name a chat. */
async function tellNobody({ database }: NotifyingMeans, repository: number, tells: number): Promise<void> {
  await database.write(async (tx) => {
    if (!(await keepTells(tx, repository, tells, 0))) return;
    await tx.db
      .updateTable("report")
      .set({ told: sql`wanted` })
      .where("repository", "=", repository)
      .whereRef("told", "<", "wanted")
      .execute();
  });
}

async function changedSubjects(db: Query, repository: number) {
  return db
    .selectFrom("report")
    .select(["subject", "wanted"])
    .where("repository", "=", repository)
    .whereRef("told", "<", "wanted")
    .limit(atOnce)
    .execute();
}

async function settle(tx: Transaction, subject: string, wanted: number): Promise<void> {
  await tx.db.updateTable("report").set({ told: wanted }).where("subject", "=", subject).where("told", "<", wanted).execute();
}

/** A file with mistakes names no chat. */
async function chatsOf({ loadFile, log }: NotifyingMeans, repository: Repository): Promise<readonly Chat[]> {
  const loaded = await loadFile(repository, repository.defaultBranch);
  if (loaded.kind === "mistakes")
    log.warn({ repository: repository.id }, "no chat is told: the default branch's file has mistakes");
  return loaded.kind === "file" ? loaded.file.notify : [];
}

async function tellAll(
  tx: Transaction,
  subjects: readonly string[],
  chats: readonly Chat[],
  means: NotifyingMeans,
  repository: Repository,
): Promise<void> {
  const query = tx.db
    .selectFrom("report")
    .select(["subject", "wanted"])
    .where("subject", "in", subjects)
    .whereRef("told", "<", "wanted");
  for (const { subject, wanted } of await (tx.engine === "postgres" ? query.forUpdate().skipLocked() : query).execute()) {
    await settle(tx, subject, wanted);
    const news = await newsInItsLine(tx, subject, means, repository);
    if (news !== null) for (const chat of chats) await wantTold(tx, repository.id, chat, subject, news);
  }
}
