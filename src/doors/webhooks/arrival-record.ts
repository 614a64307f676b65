import type { MediaType } from "./payload.ts";
import type { Arrival } from "./receiving.ts";

/** An arrival and when it came, as the journal keeps it: the length of a line of JSON (2), that line, and the body as it is. */
export function recordOf({ guid, event, mediaType, body }: Arrival, at: Date): readonly Uint8Array[] {
  const line = JSON.stringify([at.getTime(), guid, event, mediaType, body !== null]);
  const head = Buffer.allocUnsafe(2 + Buffer.byteLength(line));
  head.writeUInt16LE(head.length - 2, 0);
  head.write(line, 2);
  return [head, ...(body ?? [])];
}

/** The same, read back. The journal vouches for its bytes. */
export function arrivalFrom(record: Buffer): { readonly arrival: Arrival; readonly at: Date } {
  const start = 2 + record.readUInt16LE(0);
  const line: [number, string, string, MediaType, boolean] = JSON.parse(record.toString("utf8", 2, start));
  const [time, guid, event, mediaType, hasBody] = line;
  return { arrival: { guid, event, mediaType, body: hasBody ? [record.subarray(start)] : null }, at: new Date(time) };
}
