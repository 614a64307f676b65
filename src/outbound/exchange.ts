import { type ClientRequest, type IncomingMessage, request as plain } from "node:http";
import { request as encrypted } from "node:https";
import type { LookupFunction } from "node:net";
import type { Upload } from "./fetch.ts";
import { OutboundProblem } from "./problem.ts";

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** One request to a host whose addresses are known and checked. */
export interface Exchange {
  readonly url: URL;
  readonly addresses: readonly ResolvedAddress[];
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | Upload | null;
  /** Bytes of the answer's body. */
  readonly mostBytes: number;
  /** Ends request and answer, the answer's body too. */
  readonly signal: AbortSignal;
}

/**
 * Sends one request over a connection of its own, to one of the given addresses and no other: the name is not looked up again. The body
 * of the answer is read as it is asked for, and breaks off when it grows too large.
 */
export function exchange({ url, addresses, method, headers, body, mostBytes, signal }: Exchange): Promise<Response> {
  const send = url.protocol === "https:" ? encrypted : plain;
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method,
      // The answer is read as it comes, so it must come as it is.
      headers: { ...Object.fromEntries(headers), ...lengthOf(body), "accept-encoding": "identity" },
      // A kept connection could outlive the decision that allowed it.
      agent: false,
      lookup: lookUpAmong(addresses),
      signal,
    });
    request.on("error", (error) => reject(problemFrom(error, url, signal)));
    request.on("response", (answer) => resolve(responseFrom(answer, request, url, mostBytes, signal)));
    if (body === null || typeof body === "string") request.end(body ?? undefined);
    else upload(body, request, reject);
  });
}

function lengthOf(body: Exchange["body"]): Readonly<Record<string, string>> {
  return body === null || typeof body === "string" ? {} : { "content-length": String(body.size) };
}

/** A receiver that has answered may take no more; what was wrong with the connection, the request itself tells. */
function upload(body: Upload, request: ClientRequest, fail: (error: unknown) => void): void {
  const source = body.read();
  source.once("error", (error) => {
    request.destroy();
    fail(error);
  });
  request.once("close", () => source.destroy());
  source.pipe(request);
}

/** Node asks for one address, or for all to try them in turn. */
function lookUpAmong(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_host, { all }, callback) => {
    const [first] = addresses;
    if (all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? "", first?.family);
  };
}

function responseFrom(
  answer: IncomingMessage,
  request: ClientRequest,
  url: URL,
  mostBytes: number,
  signal: AbortSignal,
): Response {
  const headers = new Headers();
  for (const [name, values] of Object.entries(answer.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  const { statusCode: status = 0 } = answer;
  // Those have no body, https://fetch.spec.whatwg.org/#null-body-status
  answer.on("error", () => {}); // Told to who reads the body; when nobody does, to nobody.
  const isBare = [204, 205, 304].includes(status) || request.method === "HEAD";
  if (isBare) answer.resume();
  const init = { status, headers };
  return new Response(isBare ? null : ReadableStream.from(limited(answer, url, mostBytes, signal)), init);
}

async function* limited(answer: IncomingMessage, url: URL, mostBytes: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let size = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > mostBytes) throw new OutboundProblem("too large", `${url.host} answered with more than ${mostBytes} bytes`);
      yield chunk;
    }
  } catch (error) {
    throw problemFrom(error, url, signal);
  } finally {
    answer.destroy();
  }
}

function problemFrom(error: unknown, url: URL, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof OutboundProblem) return error;
  return new OutboundProblem("unreachable", `${url.host} cannot be reached: ${whyOf(error)}`, { cause: error });
}

function whyOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  return reasons[code] ?? (code === "" ? "the connection broke" : code);
}

// https://nodejs.org/api/errors.html#common-system-errors
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection broke",
  EPIPE: "the connection broke",
  ETIMEDOUT: "it does not answer",
  EHOSTUNREACH: "there is no way to that host",
  ENETUNREACH: "there is no way to that host",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by nobody known here; see NODE_EXTRA_CA_CERTS",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is signed by nobody known here; see NODE_EXTRA_CA_CERTS",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is signed by nobody known here; see NODE_EXTRA_CA_CERTS",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is signed by nobody known here; see NODE_EXTRA_CA_CERTS",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
};
