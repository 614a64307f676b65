import type { z } from "zod";
import type { Fetch, OutboundRequest } from "../outbound/fetch.ts";
import { OutboundProblem } from "../outbound/problem.ts";
import { errored, PassingTrouble } from "./trouble.ts";

/** Another system with an API over HTTP. */
export interface Service {
  /** As people call it. */
  readonly name: string;
  readonly fetch: Fetch;
  /** Sent with each request; they may be secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds for one request. */
  readonly timeout: number;
}

export interface Question extends Omit<OutboundRequest, "timeout"> {
  /** For people: completes "Jenkins refuses to …". */
  readonly doing: string;
  /** Statuses besides 2xx that the caller understands. */
  readonly answers?: readonly number[];
  readonly timeout?: number;
}

/**
 * Asks another system. Resolves with 2xx and the statuses that the question knows; throws `PassingTrouble` for what may be better later,
 * `FinalTrouble` for anything else, or the reason of the question's `signal`. Messages say what was asked for in words, never the address.
 */
export async function ask(service: Service, url: string, question: Question): Promise<Response> {
  const { doing, answers = [], headers, ...init } = question;
  const response = await translated(service.name, () =>
    service.fetch(url, { timeout: service.timeout, ...init, headers: { ...service.headers, ...headers } }),
  );
  if (response.ok || answers.includes(response.status)) return response;
  await response.body?.cancel();
  throw troubleOf(service.name, response, doing);
}

/** Reads an answer's JSON by a schema that knows only what is needed of it. */
export async function readJson<T>(service: Service, response: Response, schema: z.ZodType<T>): Promise<T> {
  const text = await translated(service.name, () => response.text());
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw errored(
    `${service.name} answered with something else than its documentation says`,
    "Look whether the address in the file is right",
  );
}

/** Puts trouble on the way into the words of this room. */
export async function translated<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OutboundProblem)) throw error;
    // Where a host is all the name there is, it is said once.
    const what = error.message.startsWith(name) ? error.message : `${name}: ${error.message}`;
    throw error.retryable ? new PassingTrouble(what, null, { cause: error }) : errored(what);
  }
}

function troubleOf(name: string, { status, headers }: Response, doing: string): Error {
  if (status === 429 || status === 408 || status >= 500) {
    return new PassingTrouble(`${name} answered ${status} when asked to ${doing}`, retryAfter(headers.get("retry-after")));
  }
  if (status === 401) return errored(`${name} does not accept the credentials`, "Set the secret again with signalbox secret set");
  if (status === 403)
    return errored(`${name} refuses to ${doing}: the credentials may not do that`, `Give them the right in ${name}`);
  if (status >= 300 && status < 400) {
    return errored(
      `${name} answered with a redirect (${status}) when asked to ${doing}`,
      "Write the address that it leads to into the file",
    );
  }
  return errored(`${name} answered ${status} when asked to ${doing}`);
}

/** Seconds, or a date: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function retryAfter(text: string | null): number | null {
  if (text === null || text === "") return null;
  const milliseconds = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : null;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
