import { createHmac } from "node:crypto";

/** The headers by which a receiver knows that a body is ours and new. */
export function signed(secret: string, body: string, now: Date): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  const signature = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  return { "x-signalbox-timestamp": timestamp, "x-signalbox-signature": `sha256=${signature}` };
}
