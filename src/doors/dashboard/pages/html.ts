import type { html } from "hono/html";

/** Escaped HTML, made only by the `html` tag: whatever is put between its braces is text. */
export type Html = ReturnType<typeof html>;
