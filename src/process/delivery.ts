import type { PipeOutput } from "./pipe.ts";

/** A stream on its way to whoever takes it. */
export interface Delivery {
  /** Settles when all is delivered. To be called when the processes that write are gone: then little more can come. Never rejects. */
  finish(): Promise<void>;
}

/** Whoever escaped from a command's family may hold its output open and write for ever: what a pipe and our buffers hold is read, then it is cut off. */
const leftover = { bytes: 2_097_152, milliseconds: 500 };

/** Hands a stream on piece by piece, reading the next when the one before is taken. A rejection aborts `refused` with its reason; what comes after it is thrown away. */
export function deliver(stream: PipeOutput, take: (piece: Uint8Array) => Promise<void>, refused: AbortController): Delivery {
  let finishing = false;
  let taking = false;
  let bytesLeft = leftover.bytes;
  let idle: NodeJS.Timeout | undefined;
  const waitForMore = () => {
    if (!finishing || taking) return;
    // In two steps: after a long turn of the event loop timers come first, and what has arrived meanwhile is read between the two.
    idle = setTimeout(() => {
      idle = setTimeout(() => stream.destroy(), leftover.milliseconds / 10);
    }, leftover.milliseconds);
  };
  const everything = (async () => {
    for await (const piece of stream) {
      clearTimeout(idle);
      taking = true;
      // A command that was refused is read on, so that it can end in its own way.
      if (!refused.signal.aborted) await take(piece).catch((error) => refused.abort(error));
      taking = false;
      if (finishing) bytesLeft -= piece.length;
      if (bytesLeft < 0) return;
      waitForMore();
    }
  })().catch((error) => {
    if (!stream.destroyed) refused.abort(error);
  });
  return {
    finish: async () => {
      finishing = true;
      waitForMore();
      await everything;
      clearTimeout(idle);
    },
  };
}
