import { lineCount, readLines } from "../../runs/log.ts";
import type { Run } from "../../runs/run.ts";
import { lineToText } from "./ansi.ts";
import type { House, Request } from "./house.ts";
import { nameOf, newestAttempt } from "./pages/look.ts";

/** More are not answered at once: 16 KB each is the longest that a line can be. */
const mostLines = 500;

/** Lines `from` to `to` of an attempt as JSON, as they were printed; the browser colours them. */
export async function answerLines(c: Request, { database }: House, run: Run): Promise<Response> {
  const attempt = attemptOf(c, run);
  const from = Math.max(1, wholeNumber(c.req.query("from")) ?? 1);
  const to = Math.min(wholeNumber(c.req.query("to")) ?? from + mostLines - 1, from + mostLines - 1);
  return database.read(async (db) => {
    const count = await lineCount(db, run.id, attempt);
    return c.json({ attempt, ...(await readLines(db, { run: run.id, attempt, from, to })), count });
  });
}

/** The whole log of an attempt as plain text, read in portions as fast as it is taken away. */
export function answerText(c: Request, { database }: House, run: Run): Response {
  const attempt = attemptOf(c, run);
  const encoder = new TextEncoder();
  let from = 1;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { lines } = await database.read((db) => readLines(db, { run: run.id, attempt, from, to: from + mostLines - 1 }));
      from += lines.length;
      if (lines.length > 0) controller.enqueue(encoder.encode(lines.map((line) => `${lineToText(line)}\n`).join("")));
      else controller.close();
    },
  });
  const name = nameOf(run).replace(/[^\w.-]+/g, "-");
  return c.body(body, 200, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Disposition": `attachment; filename="run-${run.id}-${name}-attempt-${attempt}.txt"`,
  });
}

/** The attempt that an address names; without it the newest. */
export function attemptOf(c: Request, run: Run): number {
  return wholeNumber(c.req.query("attempt")) ?? newestAttempt(run);
}

/** A number that somebody wrote into an address; `null` for everything else. */
export function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
