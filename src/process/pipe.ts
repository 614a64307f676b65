import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, constants, openSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";

/** A pipe whose writing end can be a command's output and its errors at once, which keeps their order. */
export interface Pipe {
  readonly output: Readable;
  readonly writingEnd: number;
  /** To be called once the command has its own copy: the output ends when the last copy is closed. */
  closeWritingEnd(): void;
}

/**
 * Opens a real pipe. Node's own "pipe" is a socket, which a script cannot open again (`> /dev/stderr` fails with ENXIO) and which cannot be
 * two descriptors of one command; a shell in between (`2>&1`) would add variables of its own and hide a missing program.
 */
export async function openPipe(): Promise<Pipe> {
  const path = join(tmpdir(), `signalbox-${randomUUID()}`);
  await promisify(execFile)("mkfifo", ["-m", "600", path]);
  try {
    const readingEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writingEnd = openSync(path, constants.O_WRONLY);
    const output = new Socket({ fd: readingEnd, readable: true, writable: false });
    return { output, writingEnd, closeWritingEnd: () => closeSync(writingEnd) };
  } finally {
    await unlink(path);
  }
}
