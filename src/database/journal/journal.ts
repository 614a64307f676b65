import { constants, writevSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { groupSync } from "../group-sync.ts";
import { type Entry, type Position, readEntries } from "./reading.ts";
import { type Link, newPass, nextRecord } from "./record.ts";

export interface JournalOptions {
  readonly path: string;
  /** The number up to which everything is kept elsewhere already: nothing of that is read again. */
  readonly released: number;
  /** Bytes that may wait to be read; what comes beyond is refused. */
  readonly largest?: number;
  /** Bytes that the file keeps when all is released. */
  readonly kept?: number;
}

/** An append-only file for what must be durable at once and is moved to its place later. One process has it open. */
export interface Journal {
  /** Resolves once the content is durable, in the order of the calls; rejects when it is not. */
  append(content: readonly Uint8Array[]): Promise<void>;
  /** What comes next of what is durable, oldest first; nothing when all was read. Not to be called again before it has resolved. */
  read(): Promise<readonly Entry[]>;
  /** Gives back the room of an entry and all before it: they are durable elsewhere. */
  release(entry: Entry): void;
  /** Bytes that are neither released nor refused. */
  backlog(): number;
  /** Why nothing can be made durable any more, until a restart. */
  broken(): Error | null;
  /** Resolves when every append so far has resolved or was rejected. */
  settled(): Promise<void>;
  /** Lets what is under way finish and refuses what comes later. */
  close(): Promise<void>;
}

interface Answer {
  resolve(): void;
  reject(error: unknown): void;
}

interface Waiting extends Answer {
  readonly content: readonly Uint8Array[];
}

/** Opens the file, which it makes, and finds what an earlier process left in it; a torn tail ends that. */
export async function openJournal({ path, released, largest = 1024 ** 3, kept = keptSize }: JournalOptions): Promise<Journal> {
  const file = await openDurably(path);
  const found = await lastRecord(file);
  let size = (await file.stat()).size;
  // Numbers go on behind both: the file may be older than what is kept elsewhere.
  const isSpent = found.after === null || found.after.sequence <= released;
  let last: Link = found.after === null || isSpent ? newPass(released) : found.after;
  let end = isSpent ? 0 : found.offset;
  let durable = end;
  let reading: Position = { offset: 0, after: isSpent ? last : null };
  let done = { sequence: released, offset: 0 };

  const synced = groupSync(() => file.datasync());
  let waiting: Waiting[] = [];
  let waitingBytes = 0;
  let running: Promise<void> | null = null;
  let broken: Error | null = null;
  let closed: Promise<void> | null = null;
  const confirming = new Set<Promise<void>>();

  /** All that one turn of the event loop brings, and then all that came while that was being written, goes to the file at once. */
  function run(): void {
    running ??= new Promise<void>((resolve) => setImmediate(resolve)).then(writeAll).finally(() => {
      running = null;
      if (waiting.length > 0) run();
    });
  }

  async function writeAll(): Promise<void> {
    do {
      await beginAnew();
      const batch = waiting.slice(0, largestBatch);
      waiting = waiting.slice(largestBatch);
      if (batch.length > 0) await write(batch);
    } while (waiting.length > 0);
  }

  /** A failed write changes nothing: the next one overwrites what it left, from the same place. */
  async function write(batch: readonly Waiting[]): Promise<void> {
    const pieces: Uint8Array[] = [];
    let [link, bytes] = [last, 0];
    for (const { content } of batch) {
      const record = nextRecord(link, content);
      link = record.link;
      for (const piece of [record.header, ...content]) {
        pieces.push(piece);
        bytes += piece.length;
      }
    }
    for (const { content } of batch) waitingBytes -= lengthOf(content);
    const answers = batch.map(({ resolve, reject }) => ({ resolve, reject }));
    try {
      if (broken !== null) throw broken;
      await writeWhole(file, pieces, bytes, end);
    } catch (error) {
      for (const { reject } of answers) reject(error);
      return;
    }
    last = link;
    end += bytes;
    size = Math.max(size, end);
    const confirmed = confirm(answers, end).finally(() => confirming.delete(confirmed));
    confirming.add(confirmed);
  }

  /** Not awaited by the next write: several syncs may be under way, and each covers all that was written before it began. */
  async function confirm(answers: readonly Answer[], upTo: number): Promise<void> {
    try {
      await synced();
      durable = Math.max(durable, upTo);
      for (const { resolve } of answers) resolve();
    } catch (error) {
      broken ??= Error.isError(error) ? error : new Error(String(error));
      for (const { reject } of answers) reject(error);
    }
  }

  /**
   * Only where everything is released: what stands in the file is of no use any more, and what is written there now is another pass. A sync
   * that is still under way, though a later one has covered it, would take the new pass for durable up to where the old one was.
   */
  async function beginAnew(): Promise<void> {
    if (done.sequence < last.sequence || confirming.size > 0) return;
    last = newPass(last.sequence);
    [end, durable, reading] = [0, 0, { offset: 0, after: last }];
    done = { sequence: last.sequence, offset: 0 };
    if (size <= kept) return;
    await file.truncate(kept).then(
      () => {
        size = kept;
      },
      () => {}, // It stays large; the next pass tries again.
    );
  }

  const backlog = () => end - done.offset + waitingBytes;

  async function settled(): Promise<void> {
    while (running !== null) await running;
    await Promise.all(confirming);
  }

  async function close(): Promise<void> {
    await settled();
    // A file that is empty is not searched at the next start.
    if (done.sequence >= last.sequence) await file.truncate(0).catch(() => {});
    await file.close();
  }

  return {
    backlog,
    broken: () => broken,
    append(content) {
      if (closed !== null) return Promise.reject(new Error("The journal is closed"));
      if (broken !== null) return Promise.reject(broken);
      const length = lengthOf(content);
      if (waitingBytes + length > largestWaiting || backlog() + length > largest)
        return Promise.reject(new Error("More arrives than can be moved out of the journal"));
      return new Promise((resolve, reject) => {
        waiting.push({ content: content.length > fewPieces ? [Buffer.concat(content)] : content, resolve, reject });
        waitingBytes += length;
        run();
      });
    },
    async read() {
      // While something is left to read, the file cannot begin anew.
      while (reading.offset < durable) {
        const { entries, next } = await readEntries(file, reading, durable);
        if (entries.length === 0)
          throw new Error(`${path} cannot be read at ${reading.offset}: its disk changed what was written`);
        reading = next;
        const fresh = entries.filter(({ sequence }) => sequence > released);
        if (fresh.length > 0) return fresh;
        done = { sequence: released, offset: next.offset };
      }
      return [];
    },
    release({ sequence, end: offset }) {
      done = { sequence, offset };
      // What has grown large is shortened now, not with the next delivery.
      if (sequence === last.sequence && size > kept) run();
    },
    settled,
    close() {
      closed ??= close();
      return closed;
    },
  };
}

/** A batch stays below what one system call takes (1,024 pieces): of several calls, one that falls short would leave a hole. */
const largestBatch = 100;
const fewPieces = 8;

/** Bytes that may wait in memory for the disk. */
const largestWaiting = 256 * 1024 * 1024;

/**
 * A file of this size stays as it is: over blocks that are there a sync takes two thirds of the time that one takes which adds some, and
 * deliveries still have room in them when the disk has none.
 */
const keptSize = 512 * 1024 * 1024;

/** The name of a new file is durable only once its folder is. */
async function openDurably(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const folder = await open(dirname(path));
    await folder.sync().finally(() => folder.close());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function lastRecord(file: FileHandle): Promise<Position> {
  const { size } = await file.stat();
  let position: Position = { offset: 0, after: null };
  for (;;) {
    const { entries, next } = await readEntries(file, position, size);
    if (entries.length === 0) return position;
    position = next;
  }
}

/**
 * Into the page cache, which takes less time than asking a thread to do it; the sync that follows is what waits for the disk. A disk that is full
 * takes a part, and says so only when it is asked to take the rest.
 */
async function writeWhole(file: FileHandle, pieces: readonly Uint8Array[], bytes: number, offset: number): Promise<void> {
  if (writevSync(file.fd, pieces, offset) === bytes) return;
  const whole = Buffer.concat(pieces, bytes);
  for (let written = 0; written < bytes; )
    written += (await file.write(whole, written, bytes - written, offset + written)).bytesWritten;
}

function lengthOf(content: readonly Uint8Array[]): number {
  let length = 0;
  for (const part of content) length += part.length;
  return length;
}
