import { discord } from "./discord.ts";
import type { Notifier } from "./notifier.ts";
import { slack } from "./slack.ts";
import { teams } from "./teams.ts";
import { webhook } from "./webhook.ts";

/** Every chat, by the key that a repository's file gives it. */
export const notifiers: ReadonlyMap<string, Notifier> = new Map(
  [slack, discord, teams, webhook].map((notifier) => [notifier.name, notifier]),
);
