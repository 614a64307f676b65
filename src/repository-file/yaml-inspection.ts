import { type Document, isAlias, isCollection, isMap, isScalar, type Scalar, type YAMLMap, type YAMLSeq } from "yaml";
import type { Path, Problem } from "./mistake.ts";
import { quote } from "./mistake.ts";

/**
 * What is wrong in well-formed YAML before anybody knows what the keys mean. Where `readable` is false it must not be turned into data.
 * On its way it makes the numbers among a check's variables text as they are written, since `1.10` would become `1.1`.
 */
export function inspect(document: Document): { readonly problems: readonly Problem[]; readonly readable: boolean } {
  const seen: Seen = { problems: [], sizes: new Map(), open: new Set(), aliases: 0, readable: true };
  if (document.directives?.yaml.explicit && document.directives.yaml.version !== "1.2")
    seen.problems.push({ path: [], problem: "the file is read as YAML 1.2; remove the line with %YAML" });
  const size = inspectNode(document.contents, [], seen);
  if (size > mostValues) refuse([], `the file has more than ${mostValues} values, counting those that aliases (*) repeat`, seen);
  return seen;
}

interface Seen {
  readonly problems: Problem[];
  /** How many values there are behind each anchor: aliases of aliases grow exponentially. */
  readonly sizes: Map<string, number>;
  /** Anchors of what we are inside of: an alias to one of them is a circle. */
  readonly open: Set<string>;
  aliases: number;
  readable: boolean;
}

const mostLevels = 32;
const mostAliases = 100;
const mostValues = 20_000;

/** Returns how many values the node holds, itself included. */
function inspectNode(node: unknown, path: Path, seen: Seen): number {
  if (isAlias(node)) return inspectAlias(node.source, path, seen);
  const anchor = isScalar(node) || isCollection(node) ? node.anchor : undefined;
  const size = isCollection(node) ? inspectCollection(node, path, seen) : 1;
  if (isScalar(node)) inspectScalar(node, path, seen);
  if (anchor !== undefined) seen.sizes.set(anchor, size);
  return size;
}

function inspectCollection(node: YAMLMap | YAMLSeq, path: Path, seen: Seen): number {
  if (path.length === mostLevels) {
    refuse(path, `is nested too deeply; at most ${mostLevels} levels`, seen);
    return 1;
  }
  const { anchor } = node;
  const opened = anchor !== undefined && !seen.open.has(anchor);
  if (opened) seen.open.add(anchor);
  const sizes = isMap(node) ? inspectMap(node, path, seen) : node.items.map((item, at) => inspectNode(item, [...path, at], seen));
  if (opened) seen.open.delete(anchor);
  return sizes.reduce((sum, size) => sum + size, 1);
}

function inspectAlias(name: string, path: Path, seen: Seen): number {
  seen.aliases++;
  if (seen.aliases === mostAliases + 1) refuse(path, `is one alias (*) too many; at most ${mostAliases}`, seen);
  const alias = quote(`*${name}`);
  const size = seen.sizes.get(name);
  if (seen.open.has(name)) refuse(path, `${alias} contains itself`, seen);
  else if (size === undefined)
    refuse(path, `${alias} is an alias of nothing; put quotes around a value that starts with *`, seen);
  return size ?? 1;
}

function refuse(path: Path, problem: string, seen: Seen): void {
  seen.problems.push({ path, problem });
  seen.readable = false;
}

function inspectMap(map: YAMLMap, path: Path, seen: Seen): readonly number[] {
  const keys = new Set<string>();
  return map.items.map(({ key, value }) => {
    const name = isScalar(key) ? String(key.value) : "";
    const at = [...path, name];
    if (keys.has(name)) seen.problems.push({ path: at, problem: "is there twice" });
    if (name === "__proto__") seen.problems.push({ path: at, problem: "is not a key here" });
    if (!isText(name)) seen.problems.push({ path: at, problem: notText });
    keys.add(name);
    return inspectNode(value, at, seen);
  });
}

function inspectScalar(scalar: Scalar, path: Path, seen: Seen): void {
  const { value, source } = scalar;
  if (typeof value === "string" && !isText(value)) seen.problems.push({ path, problem: notText });
  const isVariable = path.length === 4 && path[0] === "checks" && path[2] === "env";
  if (isVariable && (typeof value === "number" || typeof value === "boolean") && source !== undefined) scalar.value = source;
}

const notText = "has a NUL or half a character in it";

/** Neither a process nor a database takes such text. */
function isText(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}
