/** Which lines of a log are kept when it grows too large: its beginning, and its end, where the reason of a failure stands. */
export interface LogBudget {
  /** The lines to keep now: this one, none while it waits for the end, or a word to the reader. */
  take(line: string): readonly string[];
  /** What is kept of those that waited. To be called once. */
  end(): readonly string[];
}

const largestEnd = 4 * 1024 * 1024;

/** `limit` in bytes; the end gets a quarter of it, at most 4 MB, which is held in memory while the run works. */
export function createLogBudget(limit: number): LogBudget {
  const endLimit = Math.min(Math.floor(limit / 4), largestEnd);
  let begun = 0;
  let waiting: { readonly line: string; readonly size: number }[] = [];
  let oldest = 0;
  let waitingBytes = 0;
  const missing = { lines: 0, bytes: 0 };

  function dropOldest(): void {
    const size = waiting[oldest]?.size ?? 0;
    oldest += 1;
    waitingBytes -= size;
    missing.lines += 1;
    missing.bytes += size;
    if (oldest < 10_000 || oldest < waiting.length / 2) return;
    waiting = waiting.slice(oldest);
    oldest = 0;
  }

  return {
    take(line) {
      const size = sizeOf(line);
      if (waiting.length === 0 && begun + size <= limit - endLimit) {
        begun += size;
        return [line];
      }
      const wasWhole = missing.lines === 0;
      waiting.push({ line, size });
      waitingBytes += size;
      while (begun + waitingBytes > limit) dropOldest();
      return wasWhole && missing.lines > 0
        ? ["… the log is full: of what follows only the end is kept, and shown when the run has ended"]
        : [];
    },
    end() {
      const last = waiting.slice(oldest).map(({ line }) => line);
      if (missing.lines === 0) return last;
      return [
        `… ${missing.lines} lines (${(missing.bytes / 1_000_000).toFixed(1)} MB) are missing here: the log reached MAX_LOG_SIZE`,
        ...last,
      ];
    },
  };
}

/** Its line end included. */
function sizeOf(line: string): number {
  return Buffer.byteLength(line) + 1;
}
