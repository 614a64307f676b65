import { Readable } from "node:stream";
import type { Fetch, Upload } from "../../outbound/fetch.ts";

/** What Amazon's clients ask of their carrier; they bring types for it, but in packages that we do not depend on. */
interface Request {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Lets Amazon's clients ask through our guard, and through nothing else. */
export function carrierWith(fetch: Fetch) {
  return {
    metadata: { handlerProtocol: "http/1.1" },
    destroy: () => {},
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
    async handle(request: Request, { abortSignal }: { abortSignal?: AbortSignal } = {}) {
      const { host: _host, "content-length": length, ...headers } = request.headers;
      const body = bodyOf(request.body, Number(length));
      const response = await fetch(addressOf(request), {
        method: request.method,
        headers,
        redirects: 0,
        timeout: typeof body === "object" ? 3_600_000 : 30_000,
        mostBytes: 10_000_000,
        ...(body === undefined ? {} : { body }),
        ...(abortSignal === undefined ? {} : { signal: abortSignal }),
      });
      const answered = { statusCode: response.status, headers: Object.fromEntries(response.headers), reason: "" };
      return { response: { ...answered, body: Readable.from(response.body ?? []) } };
    },
  };
}

function addressOf({ protocol, hostname, port, path, query = {} }: Request): string {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}`);
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value ?? ""].flat()) url.searchParams.append(name, one);
  }
  return url.href;
}

function bodyOf(body: unknown, size: number): string | Upload | undefined {
  if (body === undefined || body === null || typeof body === "string") return body ?? undefined;
  if (body instanceof Readable) return { size, read: () => body };
  // Amazon's bytes like to be taken for text, and warn of it.
  const { buffer, byteOffset, byteLength } = body as Uint8Array<ArrayBuffer>;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  return { size: bytes.length, read: () => Readable.from([bytes]) };
}
