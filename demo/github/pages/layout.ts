import { html } from "hono/html";
import type { Answer } from "../http/answers.ts";
import { STYLE } from "./style.ts";

/** Text that `html` has escaped, or a piece of a page. */
export type Piece = ReturnType<typeof html> | string;

/** A whole page. What stands in a template is escaped by hono's `html`. */
export async function pageOf(title: string, content: Piece, status = 200): Promise<Answer> {
  const page = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="stylesheet" href="/-/style.css" />
      </head>
      <body>
        <header><a href="/">GitHub on a laptop</a> <span>a stand-in: everything here is on this machine</span></header>
        <main>${content}</main>
      </body>
    </html>`;
  return {
    status,
    body: String(page),
    headers: { "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store" },
  };
}

/** The style sheet at `/-/style.css`. */
export const styleSheet: Answer = {
  status: 200,
  body: Buffer.from(STYLE),
  headers: { "Content-Type": "text/css; charset=utf-8" },
};

const POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
