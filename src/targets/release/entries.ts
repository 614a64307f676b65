import type { Tree } from "./tree.ts";

/** What is in a release, in the order in which it can be made: a folder before what lies in it. */
export type Entry =
  | { readonly kind: "file"; readonly path: string; readonly source: string; readonly size: number; readonly executable: boolean }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "folder"; readonly path: string };

/** A tree as a list. */
export function entriesOf(tree: Tree, within = ""): readonly Entry[] {
  return [
    ...tree.files.map(({ name, mode, size }): Entry => {
      const executable = (mode & 0o100) !== 0;
      return { kind: "file", path: `${within}${name}`, source: `${tree.path}/${name}`, size, executable };
    }),
    ...tree.links.map(({ name, target }): Entry => ({ kind: "link", path: `${within}${name}`, target })),
    ...tree.folders.flatMap(({ name, tree: inner }): readonly Entry[] => {
      const path = `${within}${name}`;
      return [{ kind: "folder", path }, ...entriesOf(inner, `${path}/`)];
    }),
  ];
}
