import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export const home = join(import.meta.dirname, "..", "..");

/** Every page of ours that people read. */
export const pages = [
  join(home, "README.md"),
  join(home, "CONTRIBUTING.md"),
  ...["docs", "docs/recipes"].flatMap((folder) =>
    readdirSync(join(home, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(home, folder, name)),
  ),
];

export interface Block {
  /** What stands behind the fence: `sh`, `sh root`, `yaml file`. */
  readonly kind: string;
  readonly text: string;
}

export function blocksOf(path: string): readonly Block[] {
  return [...readFileSync(path, "utf8").matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(([, kind = "", text = ""]) => ({
    kind,
    text,
  }));
}

/** `sh` is run as it stands, `sh server` beside a running server, `sh root` on a machine that may be changed. */
export const shell = pages.flatMap((page) =>
  blocksOf(page)
    .filter(({ kind }) => /^sh\b/.test(kind))
    .map(({ kind, text }) => ({ page: relative(home, page), kind, text })),
);
