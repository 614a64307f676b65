import type { Request } from "./house.ts";

/** Whether a machine asks: one that takes JSON and does not name HTML. */
export function wantsJson(c: Request): boolean {
  const accept = c.req.header("accept") ?? "";
  return /\bapplication\/json\b/.test(accept) && !/\btext\/html\b/.test(accept);
}
