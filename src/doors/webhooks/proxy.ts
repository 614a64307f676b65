import type { Logger } from "pino";
import { SmeeClient } from "smee-client";
import { z } from "zod";

/** From where to where webhooks are carried. */
export interface ProxyOptions {
  /** WEBHOOK_PROXY_URL: a channel of smee.io or of a server like it. */
  readonly source: string;
  /** Our own webhook address. */
  readonly target: string;
  readonly log: Logger;
  /** How long to wait before the channel is opened again, in milliseconds. */
  readonly pause?: number;
}

/**
 * Carries webhooks from a channel to a server that GitHub cannot reach. The channel is opened again whenever it is lost; what was
 * sent meanwhile, or refused by the target, is lost here and found by the comparison with GitHub's list of deliveries.
 *
 * smee.io parses a body and gives it on as JSON. GitHub's own bodies are compact JSON, which comes out as it went in, byte for
 * byte, so their signatures hold; other bodies (`application/x-www-form-urlencoded`, spaces, escapes) come out different, and the
 * server refuses them as it must. Servers that also send `rawbody` spare that: https://github.com/probot/smee-client/issues/325.
 */
export function startProxy({ source, target, log, pause = 3_000 }: ProxyOptions): { close(): Promise<void> } {
  const closing = new AbortController();
  let reopen: NodeJS.Timeout | undefined;
  let client = open();

  return {
    async close() {
      closing.abort();
      clearTimeout(reopen);
      await client.stop();
    },
  };

  function open(): SmeeClient {
    // smee-client forwards only when told to: its own forwarding ends the process over a body that is missing, sends hop-by-hop
    // headers on, and goes through HTTP_PROXY even to this machine. So it keeps the connection, and we forward.
    const opened = new SmeeClient({ source, target, forward: false, logger: quiet });
    opened.onmessage = ({ data }) => {
      forward(String(data)).catch((error: unknown) =>
        log.warn({ err: error }, "A webhook from the proxy could not be forwarded"),
      );
    };
    opened.onopen = () => log.info({ source, target }, "Webhooks come through the proxy");
    // It reconnects by itself while the connection breaks, but gives up on an answer other than 200: so begin anew in both cases.
    opened.onerror = (event) => {
      if (closing.signal.aborted || reopen !== undefined) return;
      log.warn({ source, status: event.code }, "The webhook proxy is not connected; trying again");
      reopen = setTimeout(() => {
        reopen = undefined;
        void opened.stop();
        client = open();
      }, pause);
    };
    // Its failure is an error event too.
    opened.start().catch(() => {});
    return opened;
  }

  async function forward(data: string): Promise<void> {
    const message = messageSchema.parse(JSON.parse(data));
    const headers = Object.entries(message).filter(
      (entry): entry is [string, string] => isCarried(entry[0]) && typeof entry[1] === "string",
    );
    const response = await fetch(target, {
      method: "POST",
      headers: {
        ...Object.fromEntries(headers),
        ...(message.rawbody === undefined ? { "content-type": "application/json" } : {}),
      },
      body: message.rawbody ?? JSON.stringify(message.body),
      redirect: "error",
      signal: closing.signal,
    });
    await response.body?.cancel();
    const facts = { guid: message["x-github-delivery"], event: message["x-github-event"], status: response.status };
    if (response.ok) log.debug(facts, "A webhook came through the proxy");
    else log.warn(facts, response.status === 401 ? SIGNATURE_LOST : "A webhook from the proxy was refused");
  }
}

const SIGNATURE_LOST =
  "A webhook from the proxy was refused: it is not GitHub's, or the proxy changed its bytes; set the App's content type to JSON, or use gh webhook forward";

/** The headers that say what the delivery is; everything else is about the proxy's own connections. */
function isCarried(name: string): boolean {
  return name.startsWith("x-github-") || name.startsWith("x-hub-") || name === "user-agent" || name === "content-type";
}

/** What the channel sends: the headers of the delivery beside its body. Everybody who knows the channel can send into it. */
const messageSchema = z.looseObject({ body: z.unknown(), rawbody: z.string().optional() });

const quiet = { info() {}, error() {} };
