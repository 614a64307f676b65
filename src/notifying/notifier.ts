import type { News } from "./news.ts";

/** A chat that takes messages at the address of a webhook. All functions are pure: what is sent, and what an answer means. */
export interface Notifier {
  /** The key in a repository's file. */
  readonly name: string;
  /** What its key says, for the reference page. */
  readonly address: string;
  /** The request that shows the news. `shown` is what the answer to an earlier message about the same subject left: that message is changed. */
  request(webhook: Webhook, news: News, shown: string | null): ChatRequest;
  /** What a later request needs in order to change the message; `null` where messages cannot be changed. */
  shown(answer: string): string | null;
  /** Whether messages can be changed once they are sent. */
  readonly changes: boolean;
}

export interface Webhook {
  /** Holds the right to post: a secret. */
  readonly url: string;
  /** Signs what is sent, where the service takes that. */
  readonly key: string | null;
  /** What the message is about: the same text for every message about it. */
  readonly subject: string;
  readonly now: Date;
}

export interface ChatRequest {
  readonly method: "POST" | "PATCH";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const json = { "content-type": "application/json" };
