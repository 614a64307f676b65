import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { failed } from "../../elsewhere/trouble.ts";
import type { Upload } from "../../outbound/fetch.ts";
import { type Amount, sayAmount } from "./amount.ts";
import { entriesOf } from "./entries.ts";
import { Refusal } from "./refusal.ts";
import { tarOf } from "./tar.ts";
import { survey } from "./tree.ts";

/** A release as one compressed file, ready to be sent. */
export interface Tarball extends Upload {
  /** Hexadecimal. */
  readonly sha256: string;
  /** What is in it, for people. */
  readonly amount: string;
}

/**
 * Packs a folder of the built checkout into a file beside it, with which it is removed. What cannot be part of a release is the author's to
 * mend. Throws the reason of `stop`.
 */
export async function packTarball(workspace: string, from: string, stop: AbortSignal): Promise<Tarball> {
  const path = `${workspace}.tgz`;
  try {
    const entries = entriesOf(await survey(workspace, from, stop));
    const hash = createHash("sha256");
    let size = 0;
    await pipeline(
      Readable.from(tarOf(entries)),
      createGzip(),
      async function* (pieces: AsyncIterable<Buffer>) {
        for await (const piece of pieces) {
          hash.update(piece);
          size += piece.length;
          yield piece;
        }
      },
      createWriteStream(path, { mode: 0o600 }),
      { signal: stop },
    );
    return { size, read: () => createReadStream(path), sha256: hash.digest("hex"), amount: sayAmount(amountOf(entries)) };
  } catch (error) {
    stop.throwIfAborted();
    if (error instanceof Refusal) throw failed(error.message);
    throw error;
  }
}

function amountOf(entries: ReturnType<typeof entriesOf>): Amount {
  const files = entries.filter((entry) => entry.kind === "file");
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}
