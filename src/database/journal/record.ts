import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

/**
 * A record is a header of 24 bytes and its content: check (4), length of the content (4), pass (8), sequence (8), little-endian.
 * The check covers the rest of the header and the content, and goes on from that of the record before: a record counts only behind
 * those it was written behind. The pass is random and new each time the file begins anew, so nothing that is left from an earlier
 * pass, nor bytes within a content that look like a record, can be taken for the next one.
 */
export const headerSize = 24;

/** Far above the largest delivery; a longer record is none. */
export const largestContent = 64 * 1024 * 1024;

/** How far a pass has come: what the next record is chained to. */
export interface Link {
  readonly pass: bigint;
  /** The number of the last record; numbers are never given twice, over all passes. */
  readonly sequence: number;
  readonly check: number;
}

/** Begins a pass behind everything that was numbered so far. */
export function newPass(sequence: number): Link {
  return { pass: randomBytes(8).readBigUInt64LE(), sequence, check: 0 };
}

/** The header of the next record, and how far the pass has come with it. */
export function nextRecord(
  { pass, sequence, check }: Link,
  content: readonly Uint8Array[],
): { readonly header: Buffer; readonly link: Link } {
  const header = Buffer.allocUnsafe(headerSize);
  let length = 0;
  for (const part of content) length += part.length;
  header.writeUInt32LE(length, 4);
  header.writeBigUInt64LE(pass, 8);
  header.writeBigUInt64LE(BigInt(sequence + 1), 16);
  let next = crc32(header.subarray(4), check);
  for (const part of content) next = crc32(part, next);
  header.writeUInt32LE(next, 0);
  return { header, link: { pass, sequence: sequence + 1, check: next } };
}

/**
 * The length of the content that a header promises; `null` when it is not the next record's header. Without `after` any pass may begin.
 */
export function promisedLength(header: Buffer, after: Link | null): number | null {
  const length = header.readUInt32LE(4);
  if (length > largestContent) return null;
  const [pass, sequence] = [header.readBigUInt64LE(8), header.readBigUInt64LE(16)];
  if (after === null) return sequence > 0n && sequence <= BigInt(Number.MAX_SAFE_INTEGER) ? length : null;
  return pass === after.pass && sequence === BigInt(after.sequence + 1) ? length : null;
}

/** How far the pass has come with a record whose header fits; `null` when its bytes are not those that were written. */
export function checkedLink(record: Buffer, after: Link | null): Link | null {
  const check = crc32(record.subarray(4), after?.check ?? 0);
  if (check !== record.readUInt32LE(0)) return null;
  return { pass: record.readBigUInt64LE(8), sequence: Number(record.readBigUInt64LE(16)), check };
}
