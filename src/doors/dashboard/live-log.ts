import { findRepository } from "../../github/repository.ts";
import { lineCount, readLines } from "../../runs/log.ts";
import { findRun } from "../../runs/read.ts";
import type { Run } from "../../runs/run.ts";
import type { House, Request } from "./house.ts";
import { wholeNumber } from "./log-lines.ts";
import { hasPublicLogs } from "./only.ts";
import { newsOf } from "./run-news.ts";

/** A comment this often keeps proxies from closing the stream; it is also when the visitor's right is looked at again, if nobody says sooner that rights changed. */
const heartbeat = 15_000;
const batch = 200;
/** Whoever is further behind gets the end of the log; what is between is fetched when it is scrolled to. */
const furthestBehind = 2_000;

/**
 * A run as it goes on, as server-sent events: `lines` with the number of the last one as id, `state` with the page's news, `attempt`
 * when another one has begun and lines count from 1 again, `end` when there is nothing more to come, `gone` when the visitor may not
 * see it any more. The next event is made when the one before has been taken away, so a slow reader costs no memory.
 */
export function answerLive(c: Request, house: House, { id }: Run): Response {
  const encoder = new TextEncoder();
  const closed = new AbortController();
  const signal = AbortSignal.any([closed.signal, house.stop]);
  const events = follow(house, startOf(c, id), () => stillMaySee(c, house), signal);
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await next(events, house);
        if (!done) controller.enqueue(encoder.encode(value));
        else if (!closed.signal.aborted) controller.close();
      },
      // "return" alone would wait for a ring, "abort" alone would not reach an event that nobody takes away.
      async cancel() {
        closed.abort();
        await events.return();
      },
    },
    { highWaterMark: 0 },
  );
  return c.body(body, 200, {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "private, no-cache, no-transform",
    "X-Accel-Buffering": "no",
  });
}

interface Start {
  readonly id: number;
  readonly attempt: number | null;
  readonly from: number;
}

/** A browser that reconnects by itself says in a header what it has; its address is the old one. */
function startOf(c: Request, id: number): Start {
  const last = wholeNumber(c.req.header("last-event-id"));
  const from = last === null ? wholeNumber(c.req.query("from")) : last + 1;
  return { id, attempt: wholeNumber(c.req.query("attempt")), from: Math.max(1, from ?? 1) };
}

async function* follow(
  house: House,
  start: Start,
  maySee: () => Promise<boolean>,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  const { database, clock } = house;
  const bell = ringing(house, start.id, signal);
  let { attempt, from } = start;
  let told = "";
  let allowedAt = clock();
  try {
    while (!signal.aborted) {
      const { rights } = bell.hush();
      if (rights || clock() - allowedAt >= heartbeat) {
        allowedAt = clock();
        if (!(await maySee())) return yield event("gone", {});
      }
      const seen = await database.read(async (db) => {
        const run = await findRun(db, start.id);
        if (run === null) return null;
        const news = await newsOf(db, run);
        const begun = attempt === null || attempt === news.attempt;
        const count = await lineCount(db, run.id, news.attempt);
        const wanted = begun ? from : 1;
        const first = count - wanted >= furthestBehind ? count - batch + 1 : wanted;
        const read = { run: run.id, attempt: news.attempt, from: first, to: first + batch - 1 };
        return { news, begun, count, lines: await readLines(db, read) };
      });
      if (seen === null) return yield event("gone", {});

      const { news, begun, count, lines } = seen;
      if (!begun) yield event("attempt", { attempt: news.attempt });
      [attempt, from] = [news.attempt, begun ? from : 1];
      const state = JSON.stringify(news);
      if (state !== told) yield event("state", news);
      told = state;
      if (lines.lines.length > 0) {
        from = lines.first + lines.lines.length;
        yield event("lines", lines, from - 1);
      }
      if (from <= count) continue;
      if (news.finished) return yield event("end", {});

      if (!(await bell.rings(heartbeat))) yield ": still here\n\n";
    }
  } finally {
    bell.stop();
  }
}

/** JSON has no line ends of its own, so one `data:` line holds it. */
function event(name: string, data: unknown, id?: number): string {
  return `event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** Remembers a ring that comes while nobody waits, so that none is missed between looking and waiting. */
function ringing({ database }: House, run: number, signal: AbortSignal) {
  let rung = Promise.withResolvers<true>();
  let rights = false;
  const ring = () => rung.resolve(true);
  const ringRights = () => {
    rights = true;
    ring();
  };
  const unlisten = [database.wake.on(`log:${run}`, ring), database.wake.on("rights", ringRights)];
  signal.addEventListener("abort", ring);
  return {
    /** What was rung for until now is about to be looked at; `rights`: also whether the reader may still see it. */
    hush() {
      const rang = { rights };
      rung = Promise.withResolvers<true>();
      rights = false;
      return rang;
    },
    /** False when it stayed silent for so many milliseconds. */
    async rings(milliseconds: number): Promise<boolean> {
      const silence = Promise.withResolvers<false>();
      const timer = setTimeout(() => silence.resolve(false), milliseconds);
      try {
        return await Promise.race([rung.promise, silence.promise]);
      } finally {
        clearTimeout(timer);
      }
    },
    stop() {
      for (const end of unlisten) end();
      signal.removeEventListener("abort", ring);
    },
  };
}

/** GitHub's silence counts as no: nothing is shown on an old answer. */
async function stillMaySee(c: Request, house: House): Promise<boolean> {
  const { sessions, rights, settings, log, database } = house;
  const session = c.get("session");
  if (settings.dashboardAuth.kind === "none") return true;
  const repository = await database.read((db) => findRepository(db, c.get("repository").id));
  if (repository === null) return false;
  if (hasPublicLogs(house, repository)) return true;
  if (session === null || !(await sessions.lasts(session.key))) return false;
  try {
    return (await rights.role(session, repository)) !== "none";
  } catch (error) {
    log.warn({ err: error }, "a live log ends: the reader's right is unknown");
    return false;
  }
}

/** The answer has begun, so a fault can only end it: the browser asks again. */
async function next(events: AsyncGenerator<string, void>, { log }: House): Promise<IteratorResult<string, void>> {
  try {
    return await events.next();
  } catch (error) {
    log.error({ err: error }, "a live log broke off");
    return { done: true, value: undefined };
  }
}
