/** Which lines of a log are kept when it grows too large: its beginning, and its end, where the reason of a failure stands. */
export interface LogBudget {
  /** The lines to keep now: this one, none while it waits for the end, or a word to the reader. */
  take(line: string): readonly string[];
  /** What is kept of those that waited. To be called once. */
  end(): readonly string[];
}

const largestEnd = 4 * 1024 * 1024;

/** Of lines that wait, as bytes in room that the next block takes over: lines by themselves, and rooms too, would be garbage that is collected late. */
interface Block {
  readonly room: Buffer;
  readonly length: number;
  readonly lines: number;
  readonly bytes: number;
}

const blockBytes = 65_536;

/** `limit` in bytes; the end gets a quarter of it, at most 4 MB, which is held in memory while the run works. */
export function createLogBudget(limit: number): LogBudget {
  const endLimit = Math.min(Math.floor(limit / 4), largestEnd);
  let begun = 0;
  let isFull = false;
  const blocks: Block[] = [];
  /** The newest, which are no block yet. */
  let fresh: string[] = [];
  let freshBytes = 0;
  let waitingBytes = 0;
  const missing = { lines: 0, bytes: 0 };

  function wait(line: string, size: number): void {
    fresh.push(line);
    freshBytes += size;
    waitingBytes += size;
    if (freshBytes < blockBytes) return;
    let free: Buffer | null = null;
    // Only what cannot be kept whatever follows; the rest is decided at the end.
    for (let oldest = blocks[0]; oldest !== undefined && begun + waitingBytes - oldest.bytes >= limit; oldest = blocks[0]) {
      drop(oldest.lines, oldest.bytes);
      free = oldest.room;
      blocks.shift();
    }
    blocks.push(blockOf(fresh, freshBytes, free));
    fresh = [];
    freshBytes = 0;
  }

  function drop(lines: number, bytes: number): void {
    waitingBytes -= bytes;
    missing.lines += lines;
    missing.bytes += bytes;
  }

  return {
    take(line) {
      const size = sizeOf(line);
      if (waitingBytes === 0 && begun + size <= limit - endLimit) {
        begun += size;
        return [line];
      }
      wait(line, size);
      if (isFull || begun + waitingBytes <= limit) return [];
      isFull = true;
      return ["… the log is full: of what follows only the end is kept, and shown when the run has ended"];
    },
    end() {
      const waiting = [...blocks.flatMap(({ room, length }) => room.toString("utf8", 0, length).split("\n")), ...fresh];
      let oldest = 0;
      for (; begun + waitingBytes > limit; oldest += 1) drop(1, sizeOf(waiting[oldest] ?? ""));
      const last = waiting.slice(oldest);
      if (missing.lines === 0) return last;
      return [
        `… ${missing.lines} lines (${(missing.bytes / 1_000_000).toFixed(1)} MB) are missing here: the log reached MAX_LOG_SIZE`,
        ...last,
      ];
    },
  };
}

function blockOf(lines: readonly string[], bytes: number, free: Buffer | null): Block {
  const room = free !== null && free.length >= bytes ? free : Buffer.allocUnsafeSlow(Math.max(bytes, 1.25 * blockBytes));
  return { room, length: room.write(lines.join("\n")), lines: lines.length, bytes };
}

/** Its line end included. */
function sizeOf(line: string): number {
  return Buffer.byteLength(line) + 1;
}
