import { createHmac } from "node:crypto";
import type { App } from "../world.ts";

/** What came of it, as deliveries record it. */
export interface Answered {
  /** `OK`, or what went wrong: `Internal Server Error`, `timed out`, `failed to connect`. */
  readonly status: string;
  /** 0 when nobody answered. */
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
}

/** As if it had been accepted. */
export const DROPPED: Answered = { status: "OK", statusCode: 200, headers: {}, payload: "" };

/** Sends once; a failure is a value. */
export async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<Answered> {
  try {
    const response = await fetch(url, { method: "POST", headers: { ...headers }, body, signal, redirect: "manual" });
    const status = response.ok ? "OK" : response.statusText || "Invalid HTTP Response";
    const payload = await response.text();
    return { status, statusCode: response.status, headers: Object.fromEntries(response.headers), payload };
  } catch (problem) {
    const late = Error.isError(problem) && problem.name === "TimeoutError";
    return { status: late ? "timed out" : "failed to connect", statusCode: 0, headers: {}, payload: "" };
  }
}

/** https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers */
export function headersOf(
  app: App,
  { event, guid, body, contentType }: { event: string; guid: string; body: string; contentType: "json" | "form" },
): Record<string, string> {
  const hmac = (algorithm: string) => createHmac(algorithm, app.webhookSecret).update(body).digest("hex");
  return {
    Accept: "*/*",
    "Content-Type": contentType === "json" ? "application/json" : "application/x-www-form-urlencoded",
    "User-Agent": `GitHub-Hookshot/${app.clientId.slice(-7)}`,
    "X-GitHub-Delivery": guid,
    "X-GitHub-Event": event,
    "X-GitHub-Hook-ID": String(app.hookId),
    "X-GitHub-Hook-Installation-Target-ID": String(app.id),
    "X-GitHub-Hook-Installation-Target-Type": "integration",
    "X-Hub-Signature": `sha1=${hmac("sha1")}`,
    "X-Hub-Signature-256": `sha256=${hmac("sha256")}`,
  };
}
