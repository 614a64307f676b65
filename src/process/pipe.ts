import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, constants, openSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A pipe whose writing end can be a command's output and its errors at once, which keeps their order. */
export interface Pipe {
  readonly output: PipeOutput;
  readonly writingEnd: number;
  /** To be called once the command has its own copy: the output ends when the last copy is closed. */
  closeWritingEnd(): void;
}

/** What comes out of a pipe, to be read once. Each piece is good until the next one is asked for: all of them lie in one buffer. */
export interface PipeOutput extends AsyncIterable<Uint8Array> {
  /** Leaves off; the reading ends. */
  destroy(): void;
  readonly destroyed: boolean;
}

/**
 * Opens a real pipe. Node's own "pipe" is a socket, which a script cannot open again (`> /dev/stderr` fails with ENXIO) and which cannot be
 * two descriptors of one command; a shell in between (`2>&1`) would add variables of its own and hide a missing program.
 */
export async function openPipe(): Promise<Pipe> {
  const ready = spare ?? makePipe();
  spare = null;
  const { readingEnd, writingEnd } = await ready;
  const closeWritingEnd = () => {
    closeSync(writingEnd);
    // The next command need not wait for a process that makes its pipe.
    if (spare !== null) return;
    const next = makePipe();
    spare = next;
    next.catch(() => {
      if (spare === next) spare = null;
    });
  };
  return { output: outputOf(readingEnd), writingEnd, closeWritingEnd };
}

let spare: Promise<Ends> | null = null;

interface Ends {
  readonly readingEnd: number;
  readonly writingEnd: number;
}

async function makePipe(): Promise<Ends> {
  const path = join(tmpdir(), `signalbox-${randomUUID()}`);
  await promisify(execFile)("mkfifo", ["-m", "600", path]);
  try {
    const readingEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return { readingEnd, writingEnd: openSync(path, constants.O_WRONLY) };
  } finally {
    await unlink(path);
  }
}

/** Reads into the same buffer again and again. A new one for each piece is garbage faster than it is collected: hundreds of megabytes when much is said. */
function outputOf(fd: number): PipeOutput {
  const buffer = Buffer.allocUnsafe(65_536);
  let size = 0;
  let isOver = false;
  let failure: Error | null = null;
  let bell = Promise.withResolvers<void>();
  const socket = new Socket({
    fd,
    readable: true,
    writable: false,
    onread: {
      buffer,
      // False: nothing more is read until the piece has been taken.
      callback(arrived) {
        size = arrived;
        bell.resolve();
        return false;
      },
    },
  });
  const end = () => {
    isOver = true;
    bell.resolve();
  };
  socket.on("end", end).on("close", end);
  socket.on("error", (error) => {
    failure = error;
    end();
  });

  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        await bell.promise;
        bell = Promise.withResolvers();
        if (size > 0) {
          const piece = buffer.subarray(0, size);
          size = 0;
          yield piece;
          socket.resume();
        } else if (isOver) {
          if (failure !== null) throw failure;
          return;
        }
      }
    } finally {
      socket.destroy();
    }
  }

  return {
    [Symbol.asyncIterator]: pieces,
    destroy: () => void socket.destroy(),
    get destroyed() {
      return socket.destroyed;
    },
  };
}
