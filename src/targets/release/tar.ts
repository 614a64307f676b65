import { constants, open } from "node:fs/promises";
import type { Entry } from "./entries.ts";
import { Refusal } from "./refusal.ts";

/** A part of an archive: what a release is made of, or bytes of ours. */
export type TarEntry = Entry | { readonly kind: "bytes"; readonly path: string; readonly bytes: Buffer };

/** How many bytes `tarOf` gives for the same entries, which is known before a file is read. Throws a `Refusal` for a file that is too large. */
export function tarSize(entries: readonly TarEntry[]): number {
  return entries.reduce((sum, entry) => sum + headersOf(entry).length + padded(sizeOf(entry)), trailer.length);
}

/** An archive for any tar: long names in GNU's way, which busybox reads too (https://www.gnu.org/software/tar/manual/html_node/Standard.html). Files become 0644 or 0755. */
export async function* tarOf(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < entries.length; at += together) {
    const some = entries.slice(at, at + together);
    // Small files at the same time: one after the other, most of the time would be waiting.
    const small = await Promise.all(some.map((entry) => (isLarge(entry) ? null : wholeOf(entry))));
    let gathered: Uint8Array[] = [];
    for (const [index, entry] of some.entries()) {
      const whole = small[index];
      if (whole) {
        gathered.push(...whole);
        continue;
      }
      yield Buffer.concat([...gathered, headersOf(entry)]);
      gathered = [paddingOf(entry)];
      yield* contentOf(entry);
    }
    yield Buffer.concat(gathered);
  }
  yield trailer;
}

const together = 32;

function isLarge(entry: TarEntry): boolean {
  return entry.kind === "file" && entry.size > 65_536;
}

async function wholeOf(entry: TarEntry): Promise<readonly Uint8Array[]> {
  const pieces: Uint8Array[] = [headersOf(entry)];
  if (entry.kind === "bytes") pieces.push(entry.bytes);
  for await (const piece of contentOf(entry)) pieces.push(piece);
  return [...pieces, paddingOf(entry)];
}

async function* contentOf(entry: TarEntry): AsyncGenerator<Uint8Array> {
  if (entry.kind !== "file" || entry.size === 0) return;
  await using file = await open(entry.source, constants.O_RDONLY | constants.O_NOFOLLOW);
  let left = entry.size;
  while (left > 0) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(left, 65_536)));
    if (bytesRead === 0) throw new Error(`${entry.path} became shorter while it was sent`);
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function paddingOf(entry: TarEntry): Uint8Array {
  const size = sizeOf(entry);
  return new Uint8Array(padded(size) - size);
}

const block = 512;
const trailer = Buffer.alloc(2 * block);
const largest = 8 ** 11 - 1;

function padded(size: number): number {
  return Math.ceil(size / block) * block;
}

function sizeOf(entry: TarEntry): number {
  if (entry.kind === "bytes") return entry.bytes.length;
  return entry.kind === "file" ? entry.size : 0;
}

function headersOf(entry: TarEntry): Buffer {
  const size = sizeOf(entry);
  if (size > largest) throw new Refusal(`${entry.path} is larger than 8 GB`);
  const name = Buffer.from(entry.kind === "folder" ? `${entry.path}/` : entry.path);
  const target = Buffer.from(entry.kind === "link" ? entry.target : "");
  const type = entry.kind === "link" ? "2" : entry.kind === "folder" ? "5" : "0";
  const mode = entry.kind === "folder" || (entry.kind === "file" && entry.executable) ? 0o755 : 0o644;
  return Buffer.concat([longName("K", target), longName("L", name), header({ name, target, type, mode, size })]);
}

/** Nothing for a name that fits into the header. */
function longName(type: "K" | "L", name: Buffer): Buffer {
  if (name.length < 100) return Buffer.alloc(0);
  const content = Buffer.alloc(padded(name.length + 1));
  name.copy(content);
  const of = { name: Buffer.from("././@LongLink"), target: Buffer.alloc(0), type, mode: 0o644, size: name.length + 1 };
  return Buffer.concat([header(of), content]);
}

interface Header {
  readonly name: Buffer;
  readonly target: Buffer;
  readonly type: string;
  readonly mode: number;
  readonly size: number;
}

function header({ name, target, type, mode, size }: Header): Buffer {
  const bytes = Buffer.alloc(block);
  const octal = (value: number, at: number, length: number) =>
    bytes.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  name.subarray(0, 99).copy(bytes, 0);
  octal(mode, 100, 8);
  for (const at of [108, 116]) octal(0, at, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  bytes.fill(" ", 148, 156);
  bytes.write(type, 156, "latin1");
  target.subarray(0, 99).copy(bytes, 157);
  bytes.write("ustar  \0", 257, "latin1");
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}
