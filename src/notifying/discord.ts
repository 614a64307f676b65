import { z } from "zod";
import { shorten } from "../runs/sentences.ts";
import type { News } from "./news.ts";
import { json, type Notifier } from "./notifier.ts";
import { safeUrl, whatAndWho } from "./wording.ts";

/** Discord, by a channel's webhook, which can change its own messages. https://docs.discord.com/developers/resources/webhook */
export const discord: Notifier = {
  name: "discord",
  address:
    "A channel in Discord: the name of a secret that holds the address of its webhook. A message is changed as its deployment goes on.",
  changes: true,
  request: ({ url: webhook }, news, shown) => {
    const url = new URL(webhook);
    if (shown === null) url.searchParams.set("wait", "true");
    else url.pathname = `${url.pathname.replace(/\/$/, "")}/messages/${encodeURIComponent(shown)}`;
    return { method: shown === null ? "POST" : "PATCH", url: url.href, headers: json, body: JSON.stringify(message(news)) };
  },
  shown(answer) {
    const read = messageAnswer.safeParse(parsed(answer));
    return read.success ? read.data.id : null;
  },
};

const messageAnswer = z.object({ id: z.string().regex(/^\d+$/) });

const colours: Readonly<Record<News["mood"], number>> = {
  good: 0x2d_a4_4e,
  bad: 0xcf_22_2e,
  busy: 0x09_69_da,
  waiting: 0xbf_87_00,
  over: 0x6e_77_81,
};

/** A title has at most 256 characters, a description 4096: https://docs.discord.com/developers/resources/message#embed-object-embed-limits */
function message(news: News) {
  const site = news.site === null ? [] : [`[Open the site](${safeUrl(news.site)})`];
  const lines = [escaped(shorten(news.sentence, 1_000)), escaped(shorten(whatAndWho(news), 500)), ...site];
  return {
    // Nobody is ever mentioned, whatever a title says.
    allowed_mentions: { parse: [] },
    embeds: [
      {
        // Twice as long at most when every character is escaped.
        title: escaped(shorten(`${news.repository}: ${news.headline}`, 120)),
        url: safeUrl(news.page),
        color: colours[news.mood],
        description: lines.join("\n"),
      },
    ],
  };
}

/** Characters that Discord's Markdown knows, and those that begin a mention. */
function escaped(text: string): string {
  return text.replace(/[\\*_~`|<>[\]()#:@-]/g, "\\$&");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
