import { isUtf8 } from "node:buffer";
import { DatabaseSync } from "node:sqlite";

/** What a receipt keeps of a payload: its JSON, and what orders it. */
export interface Payload {
  readonly json: string;
  readonly action: string | null;
  readonly installation: number | null;
  readonly repository: number | null;
}

export type MediaType = "application/json" | "application/x-www-form-urlencoded";

/** Whether a body may be a JSON object in that encoding, by its ends alone. */
export function isPlausible(body: readonly Uint8Array[], mediaType: MediaType): boolean {
  const [first, last] = [body[0], body.at(-1)];
  if (first === undefined || last === undefined) return false;
  if (mediaType === "application/x-www-form-urlencoded") return Buffer.concat(body, form.length).equals(form);
  return first.find(isNoBlank) === openingBrace && last.findLast(isNoBlank) === closingBrace;
}

const form = Buffer.from("payload=");
const [openingBrace, closingBrace] = [0x7b, 0x7d];

// https://www.rfc-editor.org/rfc/rfc8259#section-2
function isNoBlank(byte: number): boolean {
  return byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09;
}

/** Reads a body in either of GitHub's encodings; `null` when it is not a JSON object. Call it for signed bodies only. */
export function payloadFrom(body: Buffer, mediaType: MediaType): Payload | null {
  const json = textOf(body, mediaType);
  // SQLite takes U+0000 for the end; in JSON it is not allowed.
  const facts = json === null || json.includes("\0") ? undefined : glance.get(json);
  if (json === null || facts?.type !== "object") return null;
  return {
    json,
    action: typeof facts.action === "string" ? facts.action : null,
    installation: idFrom(facts.installation),
    repository: idFrom(facts.repository),
  };
}

/** SQLite checks JSON and picks from it without making objects of it all: half the time of `JSON.parse`, and no garbage. */
const glance = new DatabaseSync(":memory:").prepare(`
  select json_type(json) as type, json_extract(json, '$.action') as action,
    json_extract(json, '$.installation.id') as installation, json_extract(json, '$.repository.id') as repository
  from (select ? as json) where json_valid(json)`);
glance.setReadBigInts(true);

// https://docs.github.com/webhooks/using-webhooks/creating-webhooks: the form has the JSON in its parameter "payload".
function textOf(body: Buffer, mediaType: MediaType): string | null {
  if (!isUtf8(body)) return null;
  const text = body.toString("utf8");
  return mediaType === "application/json" ? text : new URLSearchParams(text).get("payload");
}

function idFrom(value: unknown): number | null {
  const id = typeof value === "bigint" ? Number(value) : 0;
  return Number.isSafeInteger(id) && id > 0 ? id : null;
}
