import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { callbackPath } from "../runs/callbacks.ts";

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

export interface Doors {
  /** Takes webhooks; `null` in a process that only works. */
  readonly ingest: Listener | null;
  /** Takes results of other CI systems; `null` in a process that only works. */
  readonly callbacks: Listener | null;
  /** Answers everything that is not the server's own; `null` in a process that only works. */
  readonly pages: Listener | null;
  /** Answers Prometheus. */
  readonly metrics: Listener;
  /** Why the server cannot take work now; `null` when it can. */
  unready(): Promise<string | null>;
}

export interface Http {
  readonly port: number;
  /** Takes no new connection, lets answers under way end, and cuts what is still open after `patience` milliseconds. */
  close(patience: number): Promise<void>;
}

export const webhookPath = "/api/github/webhooks";

/** Opens the server's one port. */
export async function listen(
  { ingest, callbacks, pages, metrics, unready }: Doors,
  { host, port }: { host: string; port: number },
  options: ServerOptions,
): Promise<Http> {
  const server = createServer(options, (request, response) => {
    const path = request.url?.split("?", 1)[0];
    if (path === webhookPath && ingest !== null) ingest(request, response);
    else if (path?.startsWith(callbackPath) && callbacks !== null) callbacks(request, response);
    else if (path === "/metrics") metrics(request, response);
    else if (path === "/healthz") answer(response, 200, "ok");
    else if (path === "/readyz") void ready(response);
    else if (pages !== null) pages(request, response);
    else answer(response, 404, "This process runs checks and deployments; the pages are at the web process");
  });

  async function ready(response: ServerResponse): Promise<void> {
    const why = await unready();
    answer(response, why === null ? 200 : 503, why ?? "ready");
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close(patience) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), patience);
      await closed;
      clearTimeout(timer);
    },
  };
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" }).end(`${text}\n`);
}
