import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerOptions, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { answer, refuse } from "./answer.ts";
import { type Body, type BodyLimits, bodyReader } from "./body.ts";
import { isPlausible, type MediaType } from "./payload.ts";
import type { Receiving } from "./receiving.ts";
import { signatureCheck } from "./signature.ts";

export interface IngestOptions {
  readonly receiving: Pick<Receiving, "receive">;
  /** All are accepted; more than one while a secret is being rotated. */
  readonly secrets: readonly [string, ...string[]];
  /** Events ("push") and actions of events ("pull_request.opened"); of all others only the GUID is kept. */
  readonly listensTo: ReadonlySet<string>;
  readonly log: Logger;
  readonly limits?: Partial<BodyLimits>;
}

/** For the HTTP server in front of the ingest: a client that dawdles over its head is cut off. GitHub itself gives up after 10 s. */
export const patientServer: ServerOptions = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 65_000 };

/**
 * Takes GitHub's deliveries: a 202 means that it is durable. Nothing of a body is looked at before its signature is right, and neither
 * headers nor bodies are logged.
 */
export function createIngest(options: IngestOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const { receiving, secrets, listensTo, log } = options;
  const read = bodyReader({ ...githubLimits, ...options.limits });
  const isSigned = signatureCheck(secrets);
  const events = new Set([...listensTo].map((name) => name.split(".", 1)[0]));

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const head = headFrom(request);
    if ("status" in head) return reject(head);
    const body = await read(request);
    if (body.kind === "gone") return;
    if (body.kind !== "complete") return reject(refusals[body.kind]);
    if (!isSigned(body.pieces, head.signature)) return reject(refusals["not signed"]);

    const { guid, event, mediaType } = head;
    const listened = events.has(event);
    if (listened && !isPlausible(body.pieces, mediaType)) return reject(refusals["not JSON"]);
    try {
      await receiving.receive({ guid, event, mediaType, body: listened ? body.pieces : null });
    } catch (error) {
      log.error({ err: error, delivery: guid }, "webhook not stored; GitHub will be asked for it again");
      return reject(refusals["not stored"]);
    }
    if (event === "ping") answer(response, 200, "Pong: webhooks arrive, and their secret is right.");
    else answer(response, 202, listened ? "Accepted: it is stored." : "Accepted: nothing here listens to it.");

    function reject(refusal: Refusal): void {
      log.debug({ status: refusal.status }, "webhook refused");
      refuse(request, response, refusal);
    }
  }

  return (request, response) => {
    take(request, response).catch((error) => {
      log.error({ err: error }, "webhook failed");
      if (!response.headersSent) refuse(request, response, refusals["not stored"]);
    });
  };
}

// Payloads are capped at 25 MB: https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap
const githubLimits: BodyLimits = { largest: 25 * 1024 * 1024, together: 200 * 1024 * 1024, patience: 10_000 };

interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: OutgoingHttpHeaders;
}

const again = { "retry-after": "30" };
const refusals = {
  "wrong method": { status: 405, message: "Webhooks are sent with POST.", headers: { allow: "POST" } },
  "wrong media type": { status: 415, message: "A webhook is application/json or application/x-www-form-urlencoded." },
  "no event": { status: 400, message: "The header X-GitHub-Event is missing or malformed." },
  "no GUID": { status: 400, message: "The header X-GitHub-Delivery is missing or malformed." },
  "not signed": {
    status: 401,
    message: "The header X-Hub-Signature-256 is missing or wrong: GitHub and WEBHOOK_SECRET must have the same secret.",
  },
  "too large": { status: 413, message: "A webhook has at most 25 MB." },
  "too slow": { status: 408, message: "The body took too long to arrive." },
  "not JSON": { status: 400, message: "The payload is not a JSON object." },
  crowded: { status: 503, message: "Too much is arriving at once; try again later.", headers: again },
  "not stored": { status: 503, message: "The webhook could not be stored; try again later.", headers: again },
} satisfies Record<string, Refusal> & Record<Exclude<Body["kind"], "complete" | "gone">, Refusal>;

interface Head {
  readonly event: string;
  readonly guid: string;
  readonly signature: string;
  readonly mediaType: MediaType;
}

// https://docs.github.com/webhooks/webhook-events-and-payloads#delivery-headers
function headFrom({ method, headers }: IncomingMessage): Head | Refusal {
  if (method !== "POST") return refusals["wrong method"];
  const mediaType = mediaTypeFrom(headers);
  if (mediaType === null) return refusals["wrong media type"];
  const [event, guid, signature] = [headers["x-github-event"], headers["x-github-delivery"], headers["x-hub-signature-256"]];
  if (typeof event !== "string" || !/^[a-z_]{1,64}$/.test(event)) return refusals["no event"];
  if (typeof guid !== "string" || !/^[0-9A-Za-z-]{1,64}$/.test(guid)) return refusals["no GUID"];
  if (typeof signature !== "string") return refusals["not signed"];
  return { event, guid, signature, mediaType };
}

function mediaTypeFrom(headers: IncomingHttpHeaders): MediaType | null {
  const name = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  return name === "application/json" || name === "application/x-www-form-urlencoded" ? name : null;
}
