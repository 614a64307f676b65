import { readChunks } from "../../runs/log.ts";
import type { Run } from "../../runs/run.ts";
import type { House, Request } from "./house.ts";
import { attemptOf } from "./log-lines.ts";

/** More lines than this nobody steps through; they are counted all the same. */
const mostFound = 10_000;
const longestQuery = 200;

/** `?q=` in the whole log of an attempt: the numbers of the lines that hold it, in any case unless it is written with a capital letter. */
export async function answerSearch(c: Request, { database }: House, run: Run): Promise<Response> {
  const attempt = attemptOf(c, run);
  const query = (c.req.query("q") ?? "").slice(0, longestQuery);
  const found: number[] = [];
  let count = 0;
  if (query !== "") {
    const fold = query === query.toLowerCase() ? (text: string) => text.toLowerCase() : (text: string) => text;
    for await (const { first, lines } of readChunks(database, { run: run.id, attempt })) {
      for (const at of linesWith(query, fold, lines)) {
        count += 1;
        if (found.length < mostFound) found.push(first + at);
      }
    }
  }
  return c.json({ attempt, query, count, lines: found });
}

/** Colours stand between letters, so they are taken out first; most chunks hold nothing and cost one look. */
function linesWith(query: string, fold: (text: string) => string, lines: readonly string[]): readonly number[] {
  const text = fold(lines.join("\n").replace(/\x1b\[[\d;:]*[A-Za-z]/g, ""));
  if (!text.includes(query)) return [];
  return text.split("\n").flatMap((line, at) => (line.includes(query) ? [at] : []));
}
