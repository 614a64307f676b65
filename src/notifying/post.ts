import type { Fetch } from "../outbound/fetch.ts";
import { OutboundProblem } from "../outbound/problem.ts";
import type { News } from "./news.ts";
import type { Notifier, Webhook } from "./notifier.ts";

/** What became of a message. Its sentences name the host, never the address: that is a secret. */
export type Answer =
  | { readonly kind: "shown"; readonly shown: string | null }
  /** The message that was to be changed is not there any more. */
  | { readonly kind: "gone" }
  | { readonly kind: "later"; readonly why: string; readonly after: number | null }
  /** The chat takes this message never. */
  | { readonly kind: "refused"; readonly why: string }
  /** The chat takes no message any more. */
  | { readonly kind: "broken"; readonly why: string };

/** Milliseconds. A chat that is slower counts as down. */
const patience = 10_000;
/** Longer than this nobody asks to wait in earnest, in milliseconds. */
const longestWait = 3_600_000;

/** Sends news to a chat. Never rejects. The same may be sent twice when the process dies in between. */
export async function post(
  fetch: Fetch,
  notifier: Notifier,
  webhook: Webhook,
  news: News,
  shown: string | null,
  timeout = patience,
): Promise<Answer> {
  try {
    const { url, ...request } = notifier.request(webhook, news, shown);
    const response = await fetch(url, { ...request, timeout, redirects: 0, mostBytes: 100_000 });
    return meaningOf(response, await response.text(), notifier, shown);
  } catch (error) {
    if (!(error instanceof OutboundProblem)) return { kind: "broken", why: "its secret holds no address of a webhook" };
    return error.retryable ? { kind: "later", why: error.message, after: null } : { kind: "broken", why: error.message };
  }
}

function meaningOf({ status, headers }: Response, body: string, notifier: Notifier, shown: string | null): Answer {
  const why = `it answers ${status}${codeOf(body)}`;
  if (status >= 200 && status < 300) return { kind: "shown", shown: notifier.shown(body) };
  if (status === 429) return { kind: "later", why, after: waitOf(headers, body) };
  if (status === 408 || status >= 500) return { kind: "later", why, after: null };
  if (status === 404 && shown !== null && notifier.shown(body) === null && notifier.name === "discord") return { kind: "gone" };
  if (status === 400 || status === 413 || status === 422) return { kind: "refused", why };
  return { kind: "broken", why: `${why}: the webhook was revoked, or its address is wrong` };
}

/** Slack says in one word what is wrong; anything longer may be anything. */
function codeOf(body: string): string {
  return /^[a-z_]{3,60}$/.test(body) ? ` (${body})` : "";
}

/** Milliseconds, from the header or from Discord's answer; `null` when neither says it. */
function waitOf(headers: Headers, body: string): number | null {
  const header = headers.get("retry-after");
  const seconds = header === null || header === "" ? Number(/"retry_after":\s*([\d.]+)/.exec(body)?.[1]) : Number(header);
  return seconds >= 0 ? Math.min(longestWait, Math.ceil(seconds * 1_000)) : null;
}
