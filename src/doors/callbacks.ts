import type { Logger } from "pino";
import type { Database } from "../database/connection.ts";
import { callbackPath, lookAtCallback, takeCallback } from "../runs/callbacks.ts";
import type { Run } from "../runs/run.ts";
import { maskedReport, type Secrets } from "./masked-report.ts";

/** What is wrong with what came with a call for such a run, so that it can be sent again; `null` when nothing is. */
export type ReportProblems = Readonly<Record<Run["kind"], (body: unknown) => string | null>>;

export interface CallbackMeans extends Secrets {
  readonly database: Database;
  readonly problems: ReportProblems;
  readonly log: Logger;
}

/** Bytes of a body: the log of a build comes in it. */
const largest = 1_000_000;

/**
 * Answers `POST /-/callbacks/TOKEN`, where other systems bring the results of checks and deployments. Whoever has the token may call, once: what was wrong with a
 * call that is answered 400 can be mended and sent again. 200 means that the result is durable.
 */
export function createCallbacks(means: CallbackMeans): (request: Request) => Promise<Response> {
  return (request) =>
    take(means, request).catch((err) => {
      if (!request.signal.aborted)
        means.log.error({ err }, "a callback could not be taken; its caller was asked to send it again");
      return say(503, "The result could not be stored; send it again later", { "retry-after": "30" });
    });
}

async function take(means: CallbackMeans, request: Request): Promise<Response> {
  const { database, problems } = means;
  const token = tokenIn(new URL(request.url).pathname);
  // A stranger learns nothing, and nothing of his is read.
  const waiting = token === null ? "unknown" : await lookAtCallback(database, token);
  if (token === null || waiting === "unknown") return say(404, "There is no such callback");
  if (request.method !== "POST") return say(405, "Send the result with POST");
  if (waiting === "again") return usedUp();

  const body = await readWithin(request, largest);
  if (body === null) return say(413, `The body is larger than ${largest} bytes; leave out a part of the log`);
  const parsed = jsonOf(body);
  if (parsed === undefined) return say(400, "The body is not JSON");
  const problem = problems[waiting.kind](parsed);
  if (problem !== null) return say(400, problem);
  const report = await maskedReport(parsed, { run: waiting, token }, means);
  switch (await database.write((tx) => takeCallback(tx, token, report))) {
    case "taken":
      return say(200, "Taken");
    case "again":
      return usedUp();
    case "unknown":
      return say(404, "There is no such callback");
  }
}

function tokenIn(path: string): string | null {
  const token = path.startsWith(callbackPath) ? path.slice(callbackPath.length) : "";
  return /^[A-Za-z0-9_-]{43}$/.test(token) ? token : null;
}

function usedUp(): Response {
  return say(410, "This callback was called already, or nobody waits for it any more");
}

/** `null` when there is more, which is left unread. */
async function readWithin(request: Request, most: number): Promise<string | null> {
  if (Number(request.headers.get("content-length") ?? 0) > most) return null;
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of request.body ?? []) {
    size += piece.length;
    if (size > most) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces, size).toString("utf8");
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function say(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...headers, "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}
