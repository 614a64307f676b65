import type { FileHandle } from "node:fs/promises";
import { checkedLink, headerSize, type Link, promisedLength } from "./record.ts";

export interface Entry {
  readonly sequence: number;
  readonly content: Buffer;
  /** Where the next record begins. */
  readonly end: number;
}

export interface Position {
  readonly offset: number;
  /** `null` before the first record of a file that was found. */
  readonly after: Link | null;
}

/** What was read, and where to go on. Nothing was read when no whole record follows before `end`. */
export interface Reading {
  readonly entries: readonly Entry[];
  readonly next: Position;
}

/** Reads whole records between a position and `end`: about a megabyte of them, but at least one. */
export async function readEntries(file: FileHandle, from: Position, end: number): Promise<Reading> {
  const block = await readBlock(file, from.offset, Math.min(blockSize, end - from.offset));
  const reading = entriesIn(block, from);
  if (reading.entries.length > 0 || block.length < headerSize) return reading;
  const length = promisedLength(block, from.after);
  const size = headerSize + (length ?? 0);
  if (length === null || size <= block.length || from.offset + size > end) return reading;
  return entriesIn(await readBlock(file, from.offset, size), from);
}

const blockSize = 1024 * 1024;

function entriesIn(block: Buffer, from: Position): Reading {
  const entries: Entry[] = [];
  let { offset, after } = from;
  for (let start = 0; start + headerSize <= block.length; start = offset - from.offset) {
    const length = promisedLength(block.subarray(start), after);
    if (length === null || start + headerSize + length > block.length) break;
    const record = block.subarray(start, start + headerSize + length);
    const link = checkedLink(record, after);
    if (link === null) break;
    after = link;
    offset += record.length;
    entries.push({ sequence: link.sequence, content: record.subarray(headerSize), end: offset });
  }
  return { entries, next: { offset, after } };
}

/** Shorter than asked for where the file ends. */
async function readBlock(file: FileHandle, offset: number, size: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await file.read(block, filled, size - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return block.subarray(0, filled);
}
