import { shorten } from "../runs/sentences.ts";
import type { News } from "./news.ts";
import { json, type Notifier } from "./notifier.ts";
import { safeUrl, whatAndWho } from "./wording.ts";

/** Microsoft Teams, by a workflow that posts what its webhook takes; it cannot change what it has posted. https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using */
export const teams: Notifier = {
  name: "teams",
  address:
    "A channel in Microsoft Teams: the name of a secret that holds the address of a workflow with the trigger “When a Teams webhook request is received”.",
  changes: false,
  request: ({ url }, news) => ({ method: "POST", url, headers: json, body: JSON.stringify(message(news)) }),
  shown: () => null,
};

const colours: Readonly<Record<News["mood"], string>> = {
  good: "Good",
  bad: "Attention",
  busy: "Accent",
  waiting: "Warning",
  over: "Default",
};

/** A message has at most 28 KB. */
function message(news: News) {
  return {
    type: "message",
    attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content: card(news) }],
  };
}

/** Text runs show text as it is: a text block would read Markdown in it. https://adaptivecards.io/explorer/TextRun.html */
function card(news: News) {
  return {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    body: [
      text(shorten(`${news.repository}: ${news.headline}`, 300), { weight: "Bolder", size: "Medium", color: colours[news.mood] }),
      text(shorten(news.sentence, 1_000)),
      text(shorten(whatAndWho(news), 500), { isSubtle: true }),
    ],
    actions: [open("Look at it in Signalbox", news.page), ...(news.site === null ? [] : [open("Open the site", news.site)])],
  };
}

function text(words: string, look: Readonly<Record<string, string | boolean>> = {}) {
  return { type: "RichTextBlock", inlines: [{ type: "TextRun", text: words, ...look }] };
}

function open(title: string, url: string) {
  return { type: "Action.OpenUrl", title, url: safeUrl(url) };
}
