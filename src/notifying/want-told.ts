import { sql } from "kysely";
import type { Transaction } from "../database/connection.ts";
import type { Chat } from "../repository-file/repository-file.ts";
import { decideTelling, nameOf } from "./chat.ts";
import type { News } from "./news.ts";

/** Writes down what a chat is to show of a subject, if it is to show it; `sendNext` does the rest. */
export async function wantTold(tx: Transaction, repository: number, chat: Chat, subject: string, news: News): Promise<void> {
  const name = nameOf(chat);
  const key = { repository, chat: name, subject };
  const row = await tx.db
    .selectFrom("chat_message")
    .selectAll()
    .where("repository", "=", repository)
    .where("chat", "=", name)
    .where("subject", "=", subject)
    .executeTakeFirst();
  // Written below, so it is what its type says.
  const before = row === undefined ? null : { news: JSON.parse(row.news) as News, isSent: row.sent === row.wanted };
  switch (decideTelling(chat, news, before)) {
    case "leave":
      return;
    case "drop":
      await tx.db
        .updateTable("chat_message")
        .set({ sent: sql`wanted` })
        .where("repository", "=", repository)
        .where("chat", "=", name)
        .where("subject", "=", subject)
        .execute();
      return;
    case "tell": {
      await tx.db
        .insertInto("chat")
        .values({ repository, chat: name, problem: null, broken_at: null })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      const told = { news: JSON.stringify(news), wanted_at: tx.now };
      await tx.db
        .insertInto("chat_message")
        .values({ ...key, ...told, wanted: 1, shown: null })
        .onConflict((conflict) =>
          conflict.columns(["repository", "chat", "subject"]).doUpdateSet({ ...told, wanted: sql`chat_message.wanted + 1` }),
        )
        .execute();
      tx.ring("chats");
    }
  }
}
