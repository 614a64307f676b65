import { short, shorten } from "../runs/sentences.ts";
import type { News } from "./news.ts";

/** What changed, and who set it off: `4be07d1 Autumn prices (#12), by mira`. */
export function whatAndWho({ sha, title, pullRequest, person }: News): string {
  const number = pullRequest === null ? "" : ` (#${pullRequest})`;
  return `${short(sha)}${title === null ? "" : ` ${shorten(title, 200)}`}${number}${person === null ? "" : `, by ${person}`}`;
}

/** An address that is safe between the brackets of every markup. */
export function safeUrl(url: string): string {
  const href = URL.parse(url)?.href ?? "";
  return href.replace(/[()<>|*_~`\\[\]]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
