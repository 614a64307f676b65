import { isUtf8 } from "node:buffer";

/** What a receipt keeps of a payload: its JSON, and what orders it. */
export interface Payload {
  readonly json: Uint8Array;
  readonly action: string | null;
  readonly installation: number | null;
  readonly repository: number | null;
}

export type MediaType = "application/json" | "application/x-www-form-urlencoded";

/** Reads a body in either of GitHub's encodings; `null` when it is not a JSON object. Call it for signed bodies only. */
export function payloadFrom(body: Buffer, mediaType: MediaType): Payload | null {
  if (!isUtf8(body)) return null;
  const json = mediaType === "application/json" ? body : formField(body);
  const value = parse(json.toString("utf8"));
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return {
    json,
    action: "action" in value && typeof value.action === "string" ? value.action : null,
    installation: "installation" in value ? idOf(value.installation) : null,
    repository: "repository" in value ? idOf(value.repository) : null,
  };
}

// https://docs.github.com/webhooks/using-webhooks/creating-webhooks: the form has the JSON in its parameter "payload".
function formField(body: Buffer): Buffer {
  return Buffer.from(new URLSearchParams(body.toString("utf8")).get("payload") ?? "", "utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function idOf(value: unknown): number | null {
  if (typeof value !== "object" || value === null || !("id" in value)) return null;
  return typeof value.id === "number" && Number.isSafeInteger(value.id) && value.id > 0 ? value.id : null;
}
