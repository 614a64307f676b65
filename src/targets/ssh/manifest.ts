import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { z } from "zod";
import type { Entry } from "../release/entries.ts";
import { hashesOf } from "./hashes.ts";

/** What each path of a release is, in a few characters: equal texts mean that nothing needs to be sent. Kept beside each release on its server. */
export type Manifest = ReadonlyMap<string, string>;

/** Reads every file. Throws the reason of `stop`. */
export async function manifestOf(entries: readonly Entry[], stop: AbortSignal): Promise<Manifest> {
  const hashes = await hashesOf(
    entries.flatMap((entry) => (entry.kind === "file" ? [entry.source] : [])),
    stop,
  );
  return new Map(entries.map((entry) => [entry.path, sayWhatItIs(entry, hashes)]));
}

/** 128 bits of the hash are enough: who could make two files alike would deceive only their own repository. */
function sayWhatItIs(entry: Entry, hashes: ReadonlyMap<string, string>): string {
  switch (entry.kind) {
    case "file":
      return `${entry.executable ? "x" : "-"}${hashes.get(entry.source)?.slice(0, 32)}`;
    case "link":
      return `l${entry.target}`;
    case "folder":
      return "d";
  }
}

/** What turns the last release into the new one. */
export interface Changes {
  /** To be removed first, with all in it. */
  readonly gone: readonly string[];
  readonly sent: readonly Entry[];
}

/** Compares with the last release; what was `touched` there since it was made is taken for another file, whatever it holds. */
export function changesFrom(last: Manifest, touched: ReadonlySet<string>, now: Manifest, entries: readonly Entry[]): Changes {
  const isSame = (path: string) => !touched.has(path) && last.get(path) === now.get(path);
  const removed = new Set([...last.keys(), ...touched].filter((path) => !isSame(path)));
  const gone = [...removed].filter((path) => !foldersAbove(path).some((folder) => removed.has(folder)));
  return { gone, sent: entries.filter(({ path }) => !isSame(path)) };
}

function foldersAbove(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

const packed = z.strictObject({ version: z.literal(1), entries: z.array(z.tuple([z.string(), z.string()])) });

/** For the server to keep. */
export async function pack(manifest: Manifest): Promise<Buffer> {
  const text = JSON.stringify({ version: 1, entries: [...manifest] } satisfies z.infer<typeof packed>);
  return promisify(gzip)(text, { level: 1 });
}

/** Reads what `pack` made and a server kept; null when it is anything else. */
export async function unpack(bytes: Uint8Array): Promise<Manifest | null> {
  try {
    const text = await promisify(gunzip)(bytes, { maxOutputLength: 268_435_456 });
    const { entries } = packed.parse(JSON.parse(text.toString("utf8")));
    const isInside = ([path]: readonly [string, string]) => path.split("/").every((part) => !["", ".", ".."].includes(part));
    return entries.every(isInside) ? new Map(entries) : null;
  } catch {
    return null;
  }
}
