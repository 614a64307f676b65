import { type Kysely, type Migration, sql } from "kysely";

/** What chats are told, derived from the same versions as what GitHub is told. */
export function chats(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await sql`alter table report add column told bigint not null default 0`.execute(db);
      // What happened before there were chats is no news.
      await sql`update report set told = wanted`.execute(db);
      await sql`alter table repository add column tells integer not null default 1`.execute(db);
      await sql`create index report_untold on report(repository) where told < wanted`.execute(db);

      await db.schema
        .createTable("chat")
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("chat", "text", (c) => c.notNull())
        .addColumn("not_before", "bigint", (c) => c.notNull().defaultTo(0))
        .addColumn("held_until", "bigint", (c) => c.notNull().defaultTo(0))
        .addColumn("failures", "integer", (c) => c.notNull().defaultTo(0))
        .addColumn("problem", "text")
        .addColumn("broken_at", "bigint")
        .addPrimaryKeyConstraint("chat_key", ["repository", "chat"])
        .execute();

      await db.schema
        .createTable("chat_message")
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("chat", "text", (c) => c.notNull())
        .addColumn("subject", "text", (c) => c.notNull())
        .addColumn("news", "text", (c) => c.notNull())
        .addColumn("wanted", "bigint", (c) => c.notNull())
        .addColumn("sent", "bigint", (c) => c.notNull().defaultTo(0))
        .addColumn("shown", "text")
        .addColumn("wanted_at", "bigint", (c) => c.notNull())
        .addPrimaryKeyConstraint("chat_message_key", ["repository", "chat", "subject"])
        .execute();
      await sql`create index chat_message_unsent on chat_message(repository, chat, wanted_at) where sent < wanted`.execute(db);
      await sql`create index chat_message_subject on chat_message(subject)`.execute(db);

      await db.schema
        .createTable("chat_line")
        .addColumn("repository", "bigint", (c) => c.notNull())
        .addColumn("line", "text", (c) => c.notNull())
        .addColumn("subject", "text", (c) => c.notNull())
        .addColumn("newest", "bigint", (c) => c.notNull())
        .addColumn("mood", "text", (c) => c.notNull())
        .addColumn("before", "text")
        .addPrimaryKeyConstraint("chat_line_key", ["repository", "line"])
        .execute();
    },
  };
}
