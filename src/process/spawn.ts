import { type Command, type Ending, startChild, untilEnded } from "./child.ts";
import { deliver } from "./delivery.ts";
import { watchDisk } from "./disk.ts";
import { openPipe } from "./pipe.ts";

export type { Command, Ending } from "./child.ts";

/** What a command that ran for its output said, each stream by itself. */
export interface Captured {
  readonly ending: Ending;
  readonly output: string;
  readonly errors: string;
}

/**
 * Runs one command to its end and passes on its output and errors in the order in which they were written. Settles only when none of its
 * processes lives any more, aborted or not; a daemon that it left behind is killed. The next piece is read when `write` has taken the one
 * before, and may be overwritten from then on: that is the back-pressure. When `write` rejects the command is ended and the rejection passed on; when the disk fills up, `DiskFull`. `grace` is in ms.
 */
export async function spawnCommand(
  command: Command,
  io: { write(output: Uint8Array): Promise<void>; readonly stop: AbortSignal },
  grace = 10_000,
): Promise<Ending> {
  if (io.stop.aborted) return { kind: "stopped", reason: io.stop.reason };
  const refused = new AbortController();
  const beginning = new Beginning();
  const pipe = await openPipe();
  const delivery = deliver(pipe.output, (piece) => io.write(beginning.of(piece)), refused);
  const child = await startChild(command, pipe.writingEnd, pipe.writingEnd, false).finally(pipe.closeWritingEnd);
  const disk = command.sandboxed && watchDisk(command.sandboxed.disk.folder, command.sandboxed.disk.reserve);
  const stops = [io.stop, refused.signal, ...(disk ? [disk.signal] : [])];
  const ending = child && (await untilEnded(child, AbortSignal.any(stops), grace).finally(disk?.end));
  await delivery.finish();
  if (ending?.kind === "stopped" && disk?.signal.aborted && ending.reason === disk.signal.reason) throw ending.reason;
  if (refused.signal.aborted) throw refused.signal.reason;
  if (child === null) return { kind: "missing", program: command.argv[0] };
  return ending ?? unstarted(beginning.text());
}

/**
 * Runs a program of our own for what it says, at most `limit` bytes of each stream: past that it is ended and the call rejects. Settles only
 * when none of its process group lives any more: a daemon would be lost sight of.
 */
export async function captureCommand(
  command: Command,
  { stop, limit = 16_777_216 }: { readonly stop?: AbortSignal | undefined; readonly limit?: number } = {},
): Promise<Captured> {
  if (stop?.aborted) return { ending: { kind: "stopped", reason: stop.reason }, output: "", errors: "" };
  const child = await startChild(command, "pipe", "pipe", true);
  if (child === null) return { ending: { kind: "missing", program: command.argv[0] }, output: "", errors: "" };
  const refused = new AbortController();
  const streams = [child.process.stdout, child.process.stderr].map((stream) => {
    if (stream === null) throw new Error(`${command.argv[0]} was started without its output`);
    const pieces: Uint8Array[] = [];
    let size = 0;
    const take = async (piece: Uint8Array) => {
      size += piece.length;
      if (size > limit) throw new Error(`${command.argv[0]} said more than ${limit} bytes`);
      pieces.push(piece);
    };
    return { delivery: deliver(stream, take, refused), text: () => Buffer.concat(pieces).toString("utf8") };
  });
  const ending = await untilEnded(child, AbortSignal.any(stop ? [stop, refused.signal] : [refused.signal]), 10_000);
  for (const { delivery } of streams) await delivery.finish();
  if (refused.signal.aborted) throw refused.signal.reason;
  const [output = "", errors = ""] = streams.map(({ text }) => text());
  return { ending: ending ?? unstarted(errors), output, errors };
}

/** Bubblewrap ended without having run the command, and what it said is all the output there is. */
function unstarted(said: string): Ending {
  const program = /^bwrap: execvp (.+): No such file or directory/m.exec(said)?.[1];
  if (program !== undefined) return { kind: "missing", program };
  throw new Error(`the sandbox could not be set up: ${said.trim() || "bubblewrap did not say why"}`);
}

/** Keeps a copy of the first kilobyte of what passes. */
class Beginning {
  #kept = Buffer.alloc(0);

  of(piece: Uint8Array): Uint8Array {
    if (this.#kept.length < 1_000) this.#kept = Buffer.concat([this.#kept, piece]).subarray(0, 1_000);
    return piece;
  }

  text(): string {
    return this.#kept.toString("utf8");
  }
}
