import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A proxy in front of the server whose way can break: it refuses, or answers 502 as a proxy does whose server is away. */
export interface Interrupted {
  readonly url: string;
  /** Cuts what is open; until `mend` everything is answered with 502. */
  breakOff(): void;
  mend(): void;
  close(): void;
}

export async function startInterrupted(target: string): Promise<Interrupted> {
  let broken = false;
  const server = createServer((incoming, response) =>
    broken ? response.writeHead(502).end() : pass(target, incoming, response),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    breakOff() {
      broken = true;
      server.closeAllConnections();
    },
    mend() {
      broken = false;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function pass(target: string, incoming: IncomingMessage, response: ServerResponse): void {
  const { method, headers, url } = incoming;
  const onward = request(`${target}${url}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  response.on("close", () => onward.destroy());
  incoming.pipe(onward);
}
