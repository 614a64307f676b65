import { html, raw } from "hono/html";
import { piecesOf } from "./client/ansi.js";
import type { Html } from "./pages/html.ts";

/** A log line as the browser shows it: escaped text and `<span class>`, nothing else, whatever the line holds. */
export function lineToHtml(line: string): Html {
  const pieces = piecesOf(line).map(({ text, classes }) =>
    classes === "" ? html`${text}` : html`<span class="${classes}">${text}</span>`,
  );
  return pieces.length === 0 ? raw("") : html`${pieces}`;
}

/** A log line without its colours and other escapes. */
export function lineToText(line: string): string {
  return piecesOf(line)
    .map(({ text }) => text)
    .join("");
}
