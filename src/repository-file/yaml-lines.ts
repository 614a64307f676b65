import { type Alias, type Document, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter, type YAMLMap } from "yaml";
import type { Path } from "./mistake.ts";

/** Finds the line of a key or entry of a document, or of the nearest thing around it; each mapping and alias is searched once, however many lines are asked for. */
export function lineFinder(document: Document, lines: LineCounter): (path: Path) => number | undefined {
  const indexes = new Map<YAMLMap, Index>();
  const aliases = new Map<Alias, unknown>();
  const behind = (node: unknown): unknown => {
    if (!isAlias(node)) return node;
    if (!aliases.has(node)) aliases.set(node, node.resolve(document));
    return aliases.get(node);
  };
  return (path) => {
    let place: Place = { node: document.contents, offset: undefined };
    for (const key of path) {
      const next = step(behind(place.node), key, indexes);
      if (!next) break;
      place = next;
    }
    return place.offset === undefined ? undefined : lines.linePos(place.offset).line;
  };
}

interface Place {
  readonly node: unknown;
  readonly offset: number | undefined;
}
type Index = ReadonlyMap<PropertyKey, Place>;

function step(node: unknown, key: PropertyKey, indexes: Map<YAMLMap, Index>): Place | undefined {
  if (isSeq(node) && typeof key === "number") return { node: node.items[key], offset: offsetOf(node.items[key]) };
  if (!isMap(node)) return undefined;
  const index = indexes.get(node) ?? indexOf(node);
  indexes.set(node, index);
  return index.get(key);
}

function indexOf(map: YAMLMap): Index {
  return new Map(
    map.items.map(({ key, value }) => [isScalar(key) ? String(key.value) : "", { node: value, offset: offsetOf(key) }]),
  );
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
