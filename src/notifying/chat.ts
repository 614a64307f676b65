import type { Chat } from "../repository-file/repository-file.ts";
import { notifiers } from "./index.ts";
import type { News } from "./news.ts";

/** A chat by what the file calls it; two entries that mean the same chat are one. */
export type ChatName = string;

export function nameOf({ service, address, key }: Chat): ChatName {
  return [service, address, ...(key === null ? [] : [key])].join(" ");
}

/** The service, and the names of the secrets. */
export function partsOf(name: ChatName): { readonly service: string; readonly address: string; readonly key: string | null } {
  const [service = "", address = "", key = null] = name.split(" ");
  return { service, address, key };
}

/** What is to be done about a message, given what it says or is to say already. */
export type Telling = "tell" | "leave" | "drop";

/**
 * Whether a chat is to be told. The first message needs an event that the chat asked for. Later ones change it; where that cannot be,
 * another is sent when something else has happened that was asked for. What is not sent yet and was overtaken is dropped.
 */
export function decideTelling(chat: Chat, news: News, before: { readonly news: News; readonly isSent: boolean } | null): Telling {
  const isAsked = news.alarm || news.events.some((event) => chat.events.includes(event));
  if (before === null) return isAsked ? "tell" : "leave";
  if (sameNews(before.news, news)) return "leave";
  if (notifiers.get(chat.service)?.changes === true) return "tell";
  if (before.news.events.join() === news.events.join()) return "leave";
  if (isAsked) return "tell";
  return before.isSent ? "leave" : "drop";
}

function sameNews(one: News, other: News): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
