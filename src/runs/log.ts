import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import type { Database, Query, Transaction } from "../database/connection.ts";
import { createErrorFinder } from "./first-error.ts";
import { createLogBudget } from "./log-budget.ts";
import { groupBehind } from "./log-group.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

const flushBytes = 64 * 1024;
const flushAfter = 250;
/** A longer line is broken, so that one line can never fill the memory. */
const longestLine = 16 * 1024;

/** The log of one attempt while it is written. One writer at a time: await each call before the next. */
export interface LogWriter {
  /** Resolves when the output is kept or waits in a small buffer; awaiting it is the back-pressure. */
  write(output: Uint8Array): Promise<void>;
  /** Ends an unfinished line, as where a new step begins. Returns the number that the next line gets; lines are numbered from 1. */
  endLine(): number;
  /** Keeps what is buffered, an unfinished line too. The writer cannot be used afterwards. */
  close(): Promise<void>;
}

export interface LogOptions {
  readonly run: number;
  readonly attempt: number;
  /** Bytes that are kept at most: of a longer log its beginning and its end. */
  readonly limit: number;
}

/** Opens the log of an attempt. Chunks are only ever added, so readers need no lock. */
export function openLog(database: Database, { run, attempt, limit }: LogOptions): LogWriter {
  const decoder = new TextDecoder();
  let unfinished = "";
  let lines: string[] = [];
  let size = 0;
  const budget = createLogBudget(limit);
  let seq = 0;
  let firstLine = 1;
  let group: string | null = null;
  /** That in which the first of `lines` stands. */
  let openGroup: string | null = null;
  const errors = createErrorFinder();
  let timer: NodeJS.Timeout | null = null;
  let flushing: Promise<void> = Promise.resolve();
  let failure: unknown = null;

  function flush(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (lines.length === 0) return flushing;
    const batch = lines;
    const chunk = { run, attempt, seq, first_line: firstLine, lines: batch.length, open_group: openGroup };
    openGroup = group;
    lines = [];
    size = 0;
    seq += 1;
    firstLine += batch.length;
    flushing = flushing.then(async () => {
      const text = Buffer.from(batch.join("\n"));
      // Told how little it is, the compressor takes a tenth of the memory.
      const bytes = await compress(text, { pledgedSrcSize: text.length });
      await database.write(async (tx) => {
        await tx.db
          .insertInto("log_chunk")
          .values({ ...chunk, bytes, at: tx.now })
          .execute();
        tx.ring(`log:${run}`);
      });
    });
    return flushing;
  }

  function add(line: string): void {
    keep(budget.take(line));
  }

  function keep(some: readonly string[]): void {
    for (const line of some) {
      errors.look(line, firstLine + lines.length);
      group = groupBehind(group, line);
      size += Buffer.byteLength(line) + 1;
      lines.push(line);
    }
  }

  function endLine(): void {
    unfinished += decoder.decode();
    if (unfinished !== "") addBroken(unfinished);
    unfinished = "";
  }

  function addBroken(line: string): void {
    let rest = line.endsWith("\r") ? line.slice(0, -1) : line;
    for (; rest.length > longestLine; rest = rest.slice(breakOf(rest))) add(rest.slice(0, breakOf(rest)));
    add(rest);
  }

  return {
    endLine() {
      endLine();
      return firstLine + lines.length;
    },
    async write(output) {
      if (failure !== null) throw failure;
      const pieces = (unfinished + decoder.decode(output, { stream: true })).split("\n");
      unfinished = pieces.pop() ?? "";
      for (const piece of pieces) addBroken(piece);
      // One more may be the "\r" of a line end, which is no part of the line.
      for (; unfinished.length > longestLine + 1; unfinished = unfinished.slice(breakOf(unfinished)))
        add(unfinished.slice(0, breakOf(unfinished)));
      if (size >= flushBytes) await flush();
      else if (lines.length > 0) timer ??= setTimeout(() => void flush().catch((error) => (failure = error)), flushAfter);
    },
    async close() {
      endLine();
      keep(budget.end());
      await flush();
      if (failure !== null) throw failure;
      const first = errors.found();
      if (first !== null) await database.write((tx) => keepFirstError(tx, { run, attempt, line: first }));
    },
  };
}

async function keepFirstError(
  tx: Transaction,
  { run, attempt, line }: { readonly run: number; readonly attempt: number; readonly line: number },
): Promise<void> {
  await tx.db.updateTable("attempt").set({ first_error: line }).where("run", "=", run).where("number", "=", attempt).execute();
}

/** Where a line that is too long is broken: never within a character. */
function breakOf(line: string): number {
  const isHighSurrogate = (line.charCodeAt(longestLine - 1) & 0xfc00) === 0xd800;
  return isHighSurrogate ? longestLine - 1 : longestLine;
}

/** A part of a log. */
export interface LogPart {
  /** As they were written, without line ends. */
  readonly lines: readonly string[];
  /** The number of the first. */
  readonly first: number;
  /** When they came: from each of these lines on, in epoch milliseconds; `null` where nobody knows. */
  readonly times: readonly (readonly [line: number, at: number | null])[];
  /** The group that the first stands in. */
  readonly group: string | null;
}

/** Lines `from` to `to`, both included and counted from 1; fewer when the log is shorter. */
export async function readLines(
  db: Query,
  { run, attempt, from, to }: { readonly run: number; readonly attempt: number; readonly from: number; readonly to: number },
): Promise<LogPart> {
  const chunks = await db
    .selectFrom("log_chunk")
    .select(["first_line", "bytes", "at", "open_group"])
    .where("run", "=", run)
    .where("attempt", "=", attempt)
    .where("first_line", "<=", to)
    .where((is) => is(is("first_line", "+", is.ref("lines")), ">", from))
    .orderBy("first_line")
    .execute();
  const texts = await Promise.all(chunks.map(async ({ bytes }) => linesOf(bytes)));
  const first = Math.max(from, chunks[0]?.first_line ?? from);
  const skip = chunks[0] === undefined ? 0 : first - chunks[0].first_line;
  const lines = texts.flat();
  return {
    lines: lines.slice(skip, skip + to - first + 1),
    first,
    times: chunks.map(({ first_line, at }) => [Math.max(first, first_line), at]),
    group: lines.slice(0, skip).reduce(groupBehind, chunks[0]?.open_group ?? null),
  };
}

/** The whole log of an attempt, one chunk at a time. */
export async function* readChunks(
  database: Database,
  { run, attempt }: { readonly run: number; readonly attempt: number },
): AsyncGenerator<{ readonly first: number; readonly lines: readonly string[] }, void> {
  for (let next = 0; ; next += 1) {
    const chunk = await database.read((db) =>
      db
        .selectFrom("log_chunk")
        .select(["first_line", "bytes"])
        .where("run", "=", run)
        .where("attempt", "=", attempt)
        .where("seq", "=", next)
        .executeTakeFirst(),
    );
    if (chunk === undefined) return;
    yield { first: chunk.first_line, lines: await linesOf(chunk.bytes) };
  }
}

async function linesOf(bytes: Uint8Array): Promise<readonly string[]> {
  return (await decompress(bytes)).toString("utf8").split("\n");
}

/** How many lines are kept so far. */
export async function lineCount(db: Query, run: number, attempt: number): Promise<number> {
  const last = await db
    .selectFrom("log_chunk")
    .select((is) => is("first_line", "+", is.ref("lines")).as("next"))
    .where("run", "=", run)
    .where("attempt", "=", attempt)
    .orderBy("seq", "desc")
    .limit(1)
    .executeTakeFirst();
  return last === undefined ? 0 : Number(last.next) - 1;
}
