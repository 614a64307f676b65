import type { Io } from "../process/io.ts";
import { translated } from "./service.ts";

/** Text that another system tells, as one line for people: no control characters, at most `most` characters. */
export function oneLine(text: string, most = 200): string {
  const line = (text.trim().split("\n", 1)[0] ?? "").replace(/[\u0000-\u001f\u007f]/g, " ").trim();
  const characters = [...line];
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join("")}…`;
}

/** Writes a line into the log. */
export async function say(io: Pick<Io, "write">, text: string): Promise<void> {
  await io.write(Buffer.from(`${text}\n`));
}

/**
 * Copies an answer's body into the log, without the first `skip` bytes, and tells `copied` how many were written each time: when the answer
 * breaks off, the next one goes on from there.
 */
export async function copy(
  name: string,
  response: Response,
  skip: number,
  io: Pick<Io, "write">,
  copied: (bytes: number) => void,
): Promise<void> {
  let left = skip;
  await translated(name, async () => {
    for await (const piece of response.body ?? []) {
      const fresh = piece.subarray(Math.min(left, piece.length));
      left -= piece.length - fresh.length;
      if (fresh.length === 0) continue;
      await io.write(fresh);
      copied(fresh.length);
    }
  });
}
