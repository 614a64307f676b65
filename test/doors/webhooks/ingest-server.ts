import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type OutgoingHttpHeaders, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "@jest/globals";
import pino from "pino";
import type { Database } from "../../../src/database/connection.ts";
import type { BodyLimits } from "../../../src/doors/webhooks/body.ts";
import { createIngest, patientServer } from "../../../src/doors/webhooks/ingest.ts";
import { openReceiving, type Receiving } from "../../../src/doors/webhooks/receiving.ts";

export const secret = "It's a Secret to Everybody";
export const guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958";

export function sign(body: string | Buffer, key = secret): string {
  return `sha256=${createHmac("sha256", key).update(body).digest("hex")}`;
}

/** Those of a `pull_request` as GitHub sends it. */
export function headersFor(body: string | Buffer): OutgoingHttpHeaders {
  return {
    "content-type": "application/json",
    "x-github-event": "pull_request",
    "x-github-delivery": guid,
    "x-hub-signature-256": sign(body),
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly message: string;
}

/** Ingests on ports of their own that listen to `push` and `pull_request.opened`; they end after each test. */
export function useIngest() {
  const servers: Server[] = [];
  const receivings: { receiving: Receiving; folder: string }[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    for (const { receiving, folder } of receivings.splice(0)) {
      await receiving.stop();
      rmSync(folder, { recursive: true });
    }
  });

  async function serve(database: Database, options: { secrets?: [string, ...string[]]; limits?: Partial<BodyLimits> } = {}) {
    const lines: string[] = [];
    const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
    const listensTo = new Set(["pull_request.opened", "push"]);
    const folder = mkdtempSync(join(tmpdir(), "signalbox-ingest-"));
    const receiving = await openReceiving({ database, folder, listensTo, log });
    receivings.push({ receiving, folder });
    const ingest = createIngest({ receiving, secrets: [secret], listensTo, log, ...options });
    const server = createServer(patientServer, ingest).listen(0, "127.0.0.1");
    servers.push(server);
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    return {
      port,
      lines,
      receiving,
      post: (body: string | Buffer, headers: OutgoingHttpHeaders = {}) => send(port, body, { ...headersFor(body), ...headers }),
    };
  }

  /** All that there are, when what was received stands in the table. */
  async function receipts(database: Database) {
    for (const { receiving } of receivings) await receiving.settled();
    return (await database.read((db) => db.selectFrom("receipt").selectAll().orderBy("id").execute())).map((row) => ({ ...row }));
  }

  return { serve, receipts };
}

/** Sends one request on a connection of its own. */
export function send(port: number, body: string | Buffer, headers: OutgoingHttpHeaders, method = "POST"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: "127.0.0.1", method, headers, agent: false }, async (response) => {
      const text = (await response.toArray()).join("");
      resolve({ status: response.statusCode ?? 0, headers: response.headers, message: JSON.parse(text).message });
    });
    sent.on("error", reject).end(body);
  });
}
