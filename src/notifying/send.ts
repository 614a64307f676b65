import type { UpdateObject } from "kysely";
import type { Tables } from "../database/schema.ts";
import { findRepository } from "../github/repository.ts";
import { guardedFetch } from "../outbound/fetch.ts";
import { listSecrets } from "../secrets/store.ts";
import { partsOf } from "./chat.ts";
import { notifiers } from "./index.ts";
import type { NotifyingMeans } from "./means.ts";
import type { News } from "./news.ts";
import { type Answer, post } from "./post.ts";

/** Milliseconds after which nobody wants to hear it any more: then a chat that is down misses it. */
const staleAfter = 24 * 3_600_000;

interface Message {
  readonly subject: string;
  readonly news: string;
  readonly wanted: number;
  readonly shown: string | null;
  readonly wanted_at: number;
}

/** Sends a chat that is held the oldest of what it is to be told, keeps what became of it, and lets the chat go. Never rejects. */
export async function sendNext(means: NotifyingMeans, repository: number, chat: string): Promise<void> {
  try {
    const { message, state } = await means.database.read(async (db) => ({
      message: await db
        .selectFrom("chat_message")
        .select(["subject", "news", "wanted", "shown", "wanted_at"])
        .where("repository", "=", repository)
        .where("chat", "=", chat)
        .whereRef("sent", "<", "wanted")
        .orderBy("wanted_at")
        .limit(1)
        .executeTakeFirst(),
      state: await db
        .selectFrom("chat")
        .select(["broken_at", "failures", "problem"])
        .where("repository", "=", repository)
        .where("chat", "=", chat)
        .executeTakeFirstOrThrow(),
    }));
    if (message === undefined) return await keep(means, repository, chat, { held_until: 0 });
    const answer = await attempt(means, repository, chat, message, state.broken_at);
    await settle(means, { repository, chat, message, answer, ...state });
  } catch (error) {
    // The hold ends by itself, and it is tried again.
    means.log.error({ err: error, repository, chat }, "telling a chat failed");
  }
}

async function attempt(
  means: NotifyingMeans,
  id: number,
  chat: string,
  { subject, news, shown }: Message,
  brokenAt: number | null,
): Promise<Answer> {
  const { service, address, key } = partsOf(chat);
  const repository = await means.database.read((db) => findRepository(db, id));
  const notifier = notifiers.get(service);
  if (repository === null || notifier === undefined) return { kind: "refused", why: "nobody knows it any more" };
  if (brokenAt !== null && (await setAt(means, id, address)) <= brokenAt) return { kind: "refused", why: "it is broken" };
  const secrets = means.secretsFor(repository, null);
  const url = await secrets(address);
  const missing = url === null ? address : key !== null && (await secrets(key)) === null ? key : null;
  if (url === null || missing !== null) {
    const set = `bin/signalbox secret set ${repository.owner}/${repository.name} ${missing}`;
    return { kind: "broken", why: `the secret ${missing} is not set: ${set}` };
  }
  const webhook = { url: url.trim(), key: key === null ? null : await secrets(key), subject, now: new Date() };
  const fetch: Parameters<typeof post>[0] = (at, init = {}) => guardedFetch(at, init, { allow: means.settings.outboundAllow });
  // Written by `wantTold`, so it is what its type says.
  return post(fetch, notifier, webhook, JSON.parse(news) as News, shown);
}

/** When a secret was set last; 0 for one that is not. */
async function setAt({ database }: NotifyingMeans, repository: number, name: string): Promise<number> {
  const secrets = await database.read((db) => listSecrets(db, repository));
  return Math.max(0, ...secrets.filter((one) => one.name === name).map((one) => one.setAt.getTime()));
}

interface Attempted {
  readonly repository: number;
  readonly chat: string;
  readonly message: Message;
  readonly answer: Answer;
  readonly failures: number;
  readonly problem: string | null;
}

/** What is sent once more later is told by the chat's own pause, so all its messages wait together. */
async function settle(means: NotifyingMeans, { repository, chat, message, answer, failures, problem }: Attempted): Promise<void> {
  const { log } = means;
  const told = { sent: message.wanted };
  const fine = { held_until: 0, not_before: 0, failures: 0, problem: null, broken_at: null };
  const facts = { repository, chat, subject: message.subject };
  switch (answer.kind) {
    case "shown":
      return keep(means, repository, chat, fine, {
        subject: message.subject,
        set: { ...told, shown: answer.shown ?? message.shown },
      });
    case "gone":
      return keep(means, repository, chat, fine, { subject: message.subject, set: { shown: null } });
    case "refused":
      if (problem === null) log.error({ ...facts, why: answer.why }, "a chat does not take a message; it is not sent again");
      return keep(means, repository, chat, { held_until: 0 }, { subject: message.subject, set: told });
    case "broken":
      if (problem !== answer.why)
        log.error({ ...facts, why: answer.why }, "a chat cannot be told anything until its secret is set anew");
      return keep(
        means,
        repository,
        chat,
        { held_until: 0, problem: answer.why, broken_at: Date.now() },
        { subject: message.subject, set: told },
      );
    case "later": {
      const isStale = message.wanted_at < Date.now() - staleAfter;
      const wait = answer.after ?? Math.min(600_000, 5_000 * 2 ** failures);
      log.warn(
        { ...facts, why: answer.why, seconds: Math.ceil(wait / 1_000), isStale },
        "a chat could not be told; trying again",
      );
      return keep(
        means,
        repository,
        chat,
        { held_until: 0, not_before: Date.now() + wait, failures: Math.min(20, failures + 1), problem: answer.why },
        isStale ? { subject: message.subject, set: told } : undefined,
      );
    }
  }
}

async function keep(
  { database }: NotifyingMeans,
  repository: number,
  chat: string,
  values: UpdateObject<Tables, "chat">,
  message?: { readonly subject: string; readonly set: UpdateObject<Tables, "chat_message"> },
): Promise<void> {
  await database.write(async (tx) => {
    await tx.db
      .updateTable("chat")
      .set(values)
      .where((is) => is.and({ repository, chat }))
      .execute();
    if (message !== undefined)
      await tx.db
        .updateTable("chat_message")
        .set(message.set)
        .where((is) => is.and({ repository, chat, subject: message.subject }))
        .execute();
  });
}
