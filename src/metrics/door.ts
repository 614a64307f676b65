import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { BlockList } from "node:net";
import type { Logger } from "pino";
import type { Database } from "../database/connection.ts";
import { countEnded } from "./ended.ts";
import { exposition } from "./exposition.ts";
import type { RequestCount } from "./requests.ts";
import { storedMetrics } from "./stored.ts";

export interface MetricsMeans {
  readonly database: Database;
  readonly requests: RequestCount;
  /** The setting `METRICS_TOKEN`; without it only this machine may ask. */
  readonly token: string | null;
  readonly log: Logger;
}

/** Answers `/metrics`: to whoever has the token, or without one to this machine itself, but not to what a proxy on it forwards. */
export function createMetrics({
  database,
  requests,
  token,
  log,
}: MetricsMeans): (request: IncomingMessage, response: ServerResponse) => void {
  const ended = countEnded(Date.now());
  const text = async () => {
    const stored = await database.read(async (db) => [...(await storedMetrics(db, Date.now())), ...(await ended.metrics(db))]);
    return exposition([...stored, ...requests.metrics()]);
  };
  return (request, response) => {
    if (!mayAsk(request, token)) {
      const why =
        token === null ? "ask from this machine itself, or set METRICS_TOKEN" : "Authorization: Bearer and METRICS_TOKEN";
      return answer(response, token === null ? 403 : 401, `No metrics without permission: ${why}\n`);
    }
    text().then(
      (metrics) => answer(response, 200, metrics),
      (error: unknown) => {
        log.error({ err: error }, "the metrics could not be read");
        answer(response, 503, "The database does not answer\n");
      },
    );
  };
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

function mayAsk({ headers, socket }: IncomingMessage, token: string | null): boolean {
  if (token !== null) return isSame(headers.authorization ?? "", `Bearer ${token}`);
  const isForwarded = ["x-forwarded-for", "forwarded", "x-real-ip", "via"].some((name) => headers[name] !== undefined);
  const address = socket.remoteAddress ?? "";
  return !isForwarded && loopback.check(address, address.includes(":") ? "ipv6" : "ipv4");
}

/** In constant time, whatever the lengths. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function answer(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" })
    .end(text);
}
