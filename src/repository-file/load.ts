import type { Mistake } from "./mistake.ts";
import { parseRepositoryFile } from "./parse.ts";
import type { RepositoryFile } from "./repository-file.ts";
import type { Known } from "./schema.ts";

export const repositoryFilePath = ".github/signalbox.yml";

/** What is found under the file's path. */
export type Found =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "none" }
  | { readonly kind: "too large"; readonly bytes: number };

export type Loaded =
  /** The repository does not ask for Signalbox: it stays silent. */
  | { readonly kind: "none" }
  | { readonly kind: "file"; readonly file: RepositoryFile }
  | { readonly kind: "mistakes"; readonly mistakes: readonly Mistake[] };

/** Reads and checks a repository's file; `read` fetches what stands under a path. */
export async function loadRepositoryFile(read: (path: string) => Promise<Found>, known: Known): Promise<Loaded> {
  const found = await read(repositoryFilePath);
  switch (found.kind) {
    case "none":
      return found;
    case "too large":
      return {
        kind: "mistakes",
        mistakes: [{ path: "", problem: `the file is ${Math.ceil(found.bytes / 1_000_000)} MB; at most 256 KB` }],
      };
    case "text":
      return parseRepositoryFile(found.text, known);
  }
}
