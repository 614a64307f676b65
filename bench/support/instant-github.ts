import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly route: string;
  /** `performance.now()` when the request had arrived, and when its answer was sent. */
  readonly arrived: number;
  readonly answered: number;
}

/** A GitHub that answers everything at once, so that what is measured is ours: no state, no checks, one repository file. */
export interface InstantGitHub {
  readonly host: string;
  /** Oldest first; grows. */
  readonly asked: readonly Asked[];
  /** Resolves with the next request whose route fits. */
  next(route: RegExp): Promise<Asked>;
  close(): void;
}

export async function startInstantGitHub(repositoryFile: string): Promise<InstantGitHub> {
  const asked: Asked[] = [];
  const waiting: { readonly route: RegExp; resolve(asked: Asked): void }[] = [];
  const content = Buffer.from(repositoryFile).toString("base64");
  const server = createServer(async (request, response) => {
    await received(request);
    const arrived = performance.now();
    const route = `${request.method} ${request.url}`;
    const { status, body } = answer(route, content);
    response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
    const entry = { route, arrived, answered: performance.now() };
    asked.push(entry);
    for (const one of waiting.splice(0)) one.route.test(route) ? one.resolve(entry) : waiting.push(one);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    next: (route) => new Promise((resolve) => waiting.push({ route, resolve })),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function answer(route: string, content: string): { readonly status: number; readonly body: object } {
  if (route.endsWith("/access_tokens"))
    return { status: 201, body: { token: "none", expires_at: new Date(Date.now() + 3_600_000).toISOString() } };
  if (route.includes("/contents/"))
    return { status: 200, body: { type: "file", encoding: "base64", content, size: content.length } };
  if (route.includes("/compare/")) return { status: 200, body: { files: [], merge_base_commit: { sha: "0".repeat(40) } } };
  // What it delivered, open pull requests, deployments: there is nothing to catch up with.
  if (/^GET [^?]*\/(deliveries|pulls|deployments|files)(\?|$)/.test(route)) return { status: 200, body: [] };
  return { status: route.startsWith("GET") ? 200 : 201, body: { id: 1 } };
}

async function received(request: IncomingMessage): Promise<void> {
  for await (const _ of request);
}
