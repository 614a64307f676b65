import { sql } from "kysely";
import type { Database } from "../database/connection.ts";
import { type Lookout, startLooking } from "../database/looking.ts";
import { findRepository } from "../github/repository.ts";
import { gather, repositoriesWithNews } from "./gather.ts";
import type { NotifyingMeans } from "./means.ts";
import { sendNext } from "./send.ts";

/** Chats at once; each is sent one message at a time, so one that is down or slow holds up no other. */
const atOnce = 20;
/** Longer than one message may take, in milliseconds. */
const hold = 45_000;

/** Tells the chats of all repositories what happens. Derived from the runs: after a crash, or when a chat was down, the newest is told. */
export function startChats(means: NotifyingMeans): Lookout {
  const { database, log } = means;
  const gathering = new Set<number>();
  const sending = new Set<string>();
  const failed = new Map<number, number>();

  return startLooking({
    wake: database.wake,
    topics: ["reports", "chats"],
    every: 5_000,
    async look() {
      const repositories = (await database.read(repositoriesWithNews)).filter(
        (id) => !gathering.has(id) && (failed.get(id) ?? 0) <= Date.now(),
      );
      const gathered = repositories.map((id) => begin(gathering, id, () => gatherOne(id)));
      const most = atOnce - sending.size;
      const chats = most > 0 && (await isAnyDue(database)) ? await takeDue(database, most) : [];
      const sent = chats.map(({ repository, chat }) =>
        begin(sending, `${repository} ${chat}`, () => sendNext(means, repository, chat)),
      );
      return [...gathered, ...sent];
    },
    onError: (error) => log.error({ err: error }, "looking for what to tell the chats failed; trying again"),
  });

  async function gatherOne(id: number): Promise<void> {
    try {
      const repository = await database.read((db) => findRepository(db, id));
      if (repository !== null) await gather(means, repository);
      failed.delete(id);
    } catch (error) {
      failed.set(id, Date.now() + 20_000);
      log.warn({ err: error, repository: id }, "what chats are to be told could not be decided; trying again");
    }
  }
}

/** At the start of the only server nobody else holds a chat, and what was refused may be allowed by now. */
export async function freeChats(database: Database): Promise<void> {
  await database.write((tx) => tx.db.updateTable("chat").set({ held_until: 0, broken_at: null }).execute());
}

async function begin<T>(under: Set<T>, key: T, work: () => Promise<void>): Promise<void> {
  under.add(key);
  await work().finally(() => under.delete(key));
}

function dueChats(db: Parameters<Parameters<Database["read"]>[0]>[0], now: number) {
  return db
    .selectFrom("chat")
    .select(["repository", "chat"])
    .where("not_before", "<=", now)
    .where("held_until", "<=", now)
    .where((is) =>
      is.exists(
        is
          .selectFrom("chat_message")
          .select(sql`1`.as("one"))
          .whereRef("chat_message.repository", "=", "chat.repository")
          .whereRef("chat_message.chat", "=", "chat.chat")
          .whereRef("chat_message.sent", "<", "chat_message.wanted"),
      ),
    );
}

/** A look that finds nothing costs no transaction. */
async function isAnyDue(database: Database): Promise<boolean> {
  return (
    (await database.read((db) =>
      dueChats(db, Date.now() + 60_000)
        .limit(1)
        .executeTakeFirst(),
    )) !== undefined
  );
}

async function takeDue(database: Database, most: number) {
  return database.write(async (tx) => {
    const due = dueChats(tx.db, tx.now).orderBy("not_before").limit(most);
    const rows = await (tx.engine === "postgres" ? due.forUpdate().skipLocked() : due).execute();
    for (const { repository, chat } of rows)
      await tx.db
        .updateTable("chat")
        .set({ held_until: tx.now + hold })
        .where("repository", "=", repository)
        .where("chat", "=", chat)
        .execute();
    return rows;
  });
}
