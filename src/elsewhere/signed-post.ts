import { createHmac } from "node:crypto";
import { ask, type Service } from "./service.ts";

/** A message to a receiver that shares a secret with us. */
export interface SignedPost {
  readonly url: string;
  readonly secret: string;
  readonly message: Readonly<Record<string, unknown>>;
  /** The same for messages that ask for one and the same thing: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ */
  readonly once: string;
  /** For people, as in `Question`. */
  readonly doing: string;
  readonly signal?: AbortSignal;
}

/** Sends it; resolves when the receiver has answered 2xx. */
export async function postSigned(service: Service, { url, secret, message, once, doing, signal }: SignedPost): Promise<void> {
  const body = JSON.stringify(message);
  const headers = { "content-type": "application/json", "idempotency-key": `"${once}"`, ...signed(secret, body, new Date()) };
  const stopping = signal === undefined ? {} : { signal };
  const response = await ask(service, url, { doing, method: "POST", headers, body, redirects: 0, ...stopping });
  await response.body?.cancel();
}

/** The headers by which a receiver knows that a body is ours and new. */
function signed(secret: string, body: string, now: Date): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  const signature = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  return { "x-signalbox-timestamp": timestamp, "x-signalbox-signature": `sha256=${signature}` };
}
