import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";

/** One address before several web processes, as a load balancer is: a request goes to one that lives, in turn. */
export interface Front {
  readonly url: string;
  /** Where it passes requests on to from now on. */
  to(urls: readonly string[]): void;
  close(): void;
}

export async function startFront(): Promise<Front> {
  let targets: readonly string[] = [];
  let turn = 0;
  const server = createServer(async (incoming, outgoing) => {
    const body = await bodyOf(incoming);
    for (let tries = 0; tries < targets.length; tries += 1) {
      turn += 1;
      const target = targets[turn % targets.length] ?? "";
      const answer = await pass(target, incoming, body).catch(() => null);
      // What was sent on and not answered may have been taken: it is not sent to another one.
      if (answer === null) break;
      if (answer === "refused") continue;
      outgoing.writeHead(answer.status).end(answer.body);
      return;
    }
    outgoing.writeHead(502).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    to: (urls) => {
      targets = urls;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function bodyOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function pass(
  target: string,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<{ readonly status: number; readonly body: Buffer } | "refused"> {
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(url ?? "/", target), { method, headers, agent: false }, (answer) => {
      bodyOf(answer).then((bytes) => resolve({ status: answer.statusCode ?? 502, body: bytes }), reject);
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNREFUSED" ? resolve("refused") : reject(error)));
    outgoing.end(body);
  });
}
