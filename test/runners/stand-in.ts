import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";

/** A request as a stand-in has read it. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The same, as it came. */
  readonly bytes: Buffer;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** JSON, unless it is text already. */
  readonly body?: unknown;
  /** Instead of a body: sent piece by piece. */
  readonly pieces?: AsyncIterable<string>;
}

/** What goes wrong with the next requests to a path. */
export interface Fault {
  readonly on: RegExp;
  /** `cut` breaks the connection off, `half` in the middle of the answer, `silent` never answers, `lost` does as it is told and cannot say so. */
  readonly does: Answer | "cut" | "half" | "silent" | "lost";
  times: number;
}

export interface StandIn {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** Wins over the stand-in's own answer, so many times. */
  fault(on: RegExp, does: Fault["does"], times?: number): void;
  /** Nothing goes wrong any more. */
  mend(): void;
  close(): Promise<void>;
}

/** A request as faults know it; Amazon's services name their operations in a header. */
export function lineOf({ method, path, headers }: Asked): string {
  return [method, path, headers["x-amz-target"] ?? ""].join(" ").trim();
}

/** A real HTTP server on loopback that answers in place of a service. */
export async function startStandIn(answer: (asked: Asked) => Answer): Promise<StandIn> {
  const asked: Asked[] = [];
  const faults: Fault[] = [];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const url = new URL(request.url ?? "/", "http://stand-in");
    const { method = "GET", headers } = request;
    const bytes = Buffer.concat(pieces);
    const one = { method, path: url.pathname, query: url.searchParams, headers, body: bytes.toString("utf8"), bytes };
    asked.push(one);
    const fault = faults.find(({ on, times }) => times > 0 && on.test(lineOf(one)));
    if (fault !== undefined) fault.times -= 1;
    if (fault?.does === "lost") answer(one);
    send(response, fault?.does === undefined || fault.does === "half" ? answer(one) : fault.does, fault?.does === "half");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The stand-in has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    fault: (on, does, times = 1) => void faults.push({ on, does, times }),
    mend: () => void faults.splice(0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, does: Fault["does"], half: boolean): void {
  if (does === "cut" || does === "lost") {
    response.destroy();
    return;
  }
  if (typeof does === "string") return;
  const { status = 200, headers = {}, body = "", pieces } = does;
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (pieces !== undefined) {
    void pour(response, pieces, half);
    return;
  }
  response.setHeader("content-length", bytes.length);
  if (half) response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => response.destroy());
  else response.end(bytes);
}

/** With `half` the connection breaks after the first piece. */
async function pour(response: ServerResponse, pieces: AsyncIterable<string>, half: boolean): Promise<void> {
  for await (const piece of pieces) {
    if (response.destroyed) return;
    await new Promise((resolve) => response.write(piece, resolve));
    if (half) response.destroy();
  }
  response.end();
}
