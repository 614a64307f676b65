import { statfs } from "node:fs/promises";

/** A disk has so little room left that the server itself would soon fail. */
export class DiskFull extends Error {
  override readonly name = "DiskFull";
  /** Once there is room again. */
  readonly retryable = true;
}

/**
 * Watches the room on the disk of a folder until `end`, and aborts `signal` with a `DiskFull` when less than `reserve` bytes are left.
 * Whoever writes then is ended, guilty or not: the database lies there too.
 */
export function watchDisk(folder: string, reserve: number): { readonly signal: AbortSignal; end(): void } {
  const full = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const look = async () => {
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    if (free < reserve) {
      full.abort(new DiskFull(`the server's disk is almost full: ${Math.floor(free / 1_048_576)} MB are left; make room there`));
    } else if (!isOver) {
      timer = setTimeout(() => void look().catch(() => {}), 250);
    }
  };
  // A folder that is gone says nothing about its disk.
  void look().catch(() => {});
  return {
    signal: full.signal,
    end() {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
