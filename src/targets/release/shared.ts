import { Refusal } from "./refusal.ts";
import type { Tree } from "./tree.ts";

/** A release with a link at each of the `shared` paths, in the place of what the checkout has there. Changes nothing on disk. Throws a `Refusal` where a path leads through a file or link. */
export function withShared(tree: Tree, shared: readonly string[]): Tree {
  return shared.reduce((outer, path) => {
    const parts = path.split("/").filter(Boolean);
    const target = `${"../".repeat(parts.length + 1)}shared/${parts.join("/")}`;
    return withLink(outer, parts, target, path);
  }, tree);
}

function withLink(tree: Tree, [name = "", ...rest]: readonly string[], target: string, path: string): Tree {
  const others = <Entry extends { readonly name: string }>(entries: readonly Entry[]) =>
    entries.filter((entry) => entry.name !== name);
  if (rest.length === 0) {
    return {
      path: tree.path,
      files: others(tree.files),
      links: [...others(tree.links), { name, target }],
      folders: others(tree.folders),
    };
  }
  if ([...tree.files, ...tree.links].some((entry) => entry.name === name))
    throw new Refusal(`shared: ${JSON.stringify(path)} lies in ${name}, which is no folder of the release`);
  const inner = tree.folders.find((entry) => entry.name === name)?.tree ?? emptyTree(tree, name);
  return { ...tree, folders: [...others(tree.folders), { name, tree: withLink(inner, rest, target, path) }] };
}

function emptyTree(outer: Tree, name: string): Tree {
  return { path: `${outer.path}/${name}`, files: [], links: [], folders: [] };
}
