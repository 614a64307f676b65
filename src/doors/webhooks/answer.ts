import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";

/** Answers with one clear sentence, as JSON. The request must have been read. */
export function answer(response: ServerResponse, status: number, message: string): void {
  const text = JSON.stringify({ message });
  response.writeHead(status, headersFor(text)).end(text);
}

/**
 * Answers a request whose body may still be coming, and ends the connection without reading all of it. The answer is sent at once and the
 * connection closed a little later: closing it while the client still sends would reset it, and could take the answer with it.
 */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  {
    status,
    message,
    headers = {},
  }: { readonly status: number; readonly message: string; readonly headers?: OutgoingHttpHeaders },
): void {
  const text = JSON.stringify({ message });
  response.writeHead(status, { ...headersFor(text), connection: "close", ...headers });
  if (request.complete) {
    response.end(text);
    return;
  }
  response.write(text);
  let left = lingering.bytes;
  const timer = setTimeout(close, lingering.time);
  const discard = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left < 0) close();
  };
  request.on("data", discard).once("end", close).once("close", close).on("error", close).resume();

  function close(): void {
    clearTimeout(timer);
    request.off("data", discard).pause();
    response.end();
    // Node would read the rest of the body to keep the connection in order.
    if (!request.complete) request.socket.destroySoon();
  }
}

const lingering = { bytes: 1024 * 1024, time: 1_000 };

function headersFor(text: string): OutgoingHttpHeaders {
  return { "content-type": "application/json; charset=utf-8", "content-length": Buffer.byteLength(text) };
}
