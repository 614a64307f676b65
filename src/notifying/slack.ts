import { shorten } from "../runs/sentences.ts";
import type { News } from "./news.ts";
import { json, type Notifier } from "./notifier.ts";
import { safeUrl, whatAndWho } from "./wording.ts";

/** Slack, by an incoming webhook: those cannot change what they have posted. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export const slack: Notifier = {
  name: "slack",
  address: "A channel in Slack: the name of a secret that holds the address of an incoming webhook.",
  changes: false,
  request: ({ url }, news) => ({ method: "POST", url, headers: json, body: JSON.stringify(message(news)) }),
  shown: () => null,
};

const icons: Readonly<Record<News["mood"], string>> = { good: "🟢", bad: "🔴", busy: "🔵", waiting: "🟡", over: "⚪" };

/** A header has at most 150 characters, a section 3000: https://docs.slack.dev/reference/block-kit/blocks */
function message(news: News) {
  const headline = `${icons[news.mood]} ${news.repository}: ${news.headline}`;
  const links = [
    `<${safeUrl(news.page)}|Look at it in Signalbox>`,
    ...(news.site === null ? [] : [`<${safeUrl(news.site)}|Open the site>`]),
  ];
  return {
    // What a notification shows.
    text: escaped(shorten(`${headline}. ${news.sentence}`, 500)),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: "header", text: { type: "plain_text", text: shorten(headline, 140), emoji: false } },
      // Five times as long at most when every character is escaped.
      section(escaped(shorten(news.sentence, 500))),
      section(escaped(shorten(whatAndWho(news), 500))),
      section(links.join(" · ")),
    ],
  };
}

/** `verbatim`: what looks like a channel, a person or an address stays text. */
function section(text: string) {
  return { type: "section", text: { type: "mrkdwn", text, verbatim: true } };
}

/** The three characters that can begin a mention or a link: https://docs.slack.dev/messaging/formatting-message-text#escaping. Marks for bold text cannot be escaped, so they are told apart by an invisible space. */
function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/[*_~`]/g, "\u200b$&");
}
