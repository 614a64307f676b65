import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Readable } from "node:stream";
import { type AllowedAddress, mayReach } from "./addresses.ts";
import { exchange, type ResolvedAddress } from "./exchange.ts";
import { OutboundProblem } from "./problem.ts";

export interface OutboundRequest {
  /** GET unless said otherwise. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Upload;
  readonly signal?: AbortSignal;
  /** Milliseconds until the whole answer is there; 30 seconds unless said otherwise. */
  readonly timeout?: number;
  /** Bytes of the answer's body; 1 MB unless said otherwise. */
  readonly mostBytes?: number;
  /** How many redirects are followed, 5 unless said otherwise. With 0 the redirect itself is the answer. */
  readonly redirects?: number;
}

/** Bytes that are sent as they are read; read anew each time they are sent. */
export interface Upload {
  readonly size: number;
  read(): Readable;
}

export interface OutboundMeans {
  /** The loopback and link-local addresses that may be reached: the setting `OUTBOUND_ALLOW`. */
  readonly allow: readonly AllowedAddress[];
  /** All addresses of a name; the machine's own way unless said otherwise. */
  readonly resolve?: (host: string) => Promise<readonly ResolvedAddress[]>;
}

/** `guardedFetch` with its means. */
export type Fetch = (url: string, init?: OutboundRequest) => Promise<Response>;

/**
 * Asks an address that a repository's file names, so a hostile one. Only http and https; the name is resolved once and the connection goes to
 * what was found then; addresses of this machine and of its cloud are refused unless allowed, also after a redirect, and only the
 * same origin is told the headers again. Resolves with any answer, whatever its status; rejects with `OutboundProblem`, or with the
 * reason of `signal`, also while the body is read.
 */
export async function guardedFetch(address: string, init: OutboundRequest, means: OutboundMeans): Promise<Response> {
  const { redirects = 5, timeout = 30_000, mostBytes = 1_000_000 } = init;
  const clock = new AbortController();
  const signal = AbortSignal.any([clock.signal, ...(init.signal === undefined ? [] : [init.signal])]);
  let url = checked(address);
  // Left alone when all went well: nobody listens any more then.
  setTimeout(() => {
    clock.abort(new OutboundProblem("slow", `${url.host} did not answer within ${timeout / 1_000} s`));
  }, timeout).unref();

  let method = init.method ?? "GET";
  let body = init.body ?? null;
  let headers = new Headers(init.headers);
  for (let followed = 0; ; followed += 1) {
    signal.throwIfAborted();
    const addresses = await reachable(url, means, signal);
    const response = await exchange({ url, addresses, method, headers: withOurs(headers), body, mostBytes, signal });
    const next = redirects === 0 ? null : redirectOf(response, url);
    if (next === null) return response;
    await response.body?.cancel();
    if (followed === redirects) throw new OutboundProblem("refused", `${url.host} redirects more than ${redirects} times`);

    const keepsMethod = response.status === 307 || response.status === 308 || method === "GET" || method === "HEAD";
    if (!keepsMethod) [method, body] = ["GET", null];
    if (next.origin !== url.origin) {
      if (body !== null) throw new OutboundProblem("refused", `${url.host} wants what it was sent to go to ${next.host}`);
      headers = new Headers();
    }
    url = next;
  }
}

/** Rejects with `OutboundProblem` unless an address may be asked now, for what has to be asked by a program that is not ours. */
export async function refuseInner(address: string, means: OutboundMeans, signal: AbortSignal): Promise<void> {
  await reachable(checked(address), means, signal);
}

/** The address, if it is one that a repository's file may name. */
function checked(address: string): URL {
  const url = URL.parse(address);
  if (url === null) throw new OutboundProblem("refused", "an address cannot be read; write one like https://ci.example.com");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new OutboundProblem("refused", `an address with ${url.protocol} is refused; only http and https are asked`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new OutboundProblem("refused", `the address at ${url.host} has a user or password in it; leave them out`);
  }
  return url;
}

/** What the host's name stands for, without what must not be reached; never empty. */
async function reachable(
  url: URL,
  { allow, resolve = lookUp }: OutboundMeans,
  signal: AbortSignal,
): Promise<readonly ResolvedAddress[]> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  const found =
    isIP(host) > 0 ? [{ address: host, family: isIP(host) }] : await unlessAborted(resolve(host), signal).catch(noSuchHost);
  const fine = found.filter(({ address }) => mayReach(address, port, allow));
  if (fine.length === 0) {
    throw new OutboundProblem(
      "refused",
      `${url.host} is an address of this server itself, or of its cloud; the operator can allow it in OUTBOUND_ALLOW`,
    );
  }
  return fine;

  function noSuchHost(cause: unknown): never {
    if (signal.aborted) throw signal.reason;
    throw new OutboundProblem("unreachable", `${url.host} cannot be reached: the name is not known`, { cause });
  }
}

function lookUp(host: string): Promise<readonly ResolvedAddress[]> {
  return lookup(host, { all: true });
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  return promise;
}

function redirectOf({ status, headers }: Response, url: URL): URL | null {
  const location = headers.get("location");
  if (![301, 302, 303, 307, 308].includes(status) || location === null) return null;
  return checked(URL.parse(location, url.href)?.href ?? "");
}

function withOurs(headers: Headers): Headers {
  const all = new Headers({ "user-agent": "Signalbox", accept: "*/*" });
  for (const [name, value] of headers) all.set(name, value);
  return all;
}
