import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

export const secret = "the bench's secret, known to all its servers";
export const path = "/api/github/webhooks";

/** A `pull_request.opened` of 24 KB, compact as GitHub sends it, and its signature. */
export function sampleDelivery(): { readonly body: Buffer; readonly signature: string } {
  const payload = JSON.parse(readFileSync(new URL("../../fixtures/pull_request.opened.json", import.meta.url), "utf8"));
  const { labels } = payload.pull_request;
  while (Buffer.byteLength(JSON.stringify(payload)) < 24 * 1024) labels.push(label(labels.length));
  const body = Buffer.from(JSON.stringify(payload));
  return { body, signature: `sha256=${createHmac("sha256", secret).update(body).digest("hex")}` };
}

function label(number: number): object {
  const url = `https://api.github.com/repos/acme/shop/labels/label-${number}`;
  return { id: 5_000_000_000 + number, node_id: `LA_${number}`, url, name: `label-${number}`, color: "0e8a16", default: false };
}
