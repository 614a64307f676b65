/** One thing that is wrong in a repository's file. `path` is like `environments.staging.target`, or empty when it is about the file as a whole. */
export interface Mistake {
  readonly path: string;
  readonly problem: string;
  readonly line?: number;
}

/** The way from the file's root to a value: keys and positions in lists. */
export type Path = readonly PropertyKey[];

/** A mistake before it knows its line. */
export interface Problem {
  readonly path: Path;
  readonly problem: string;
}

/** The sentence that people read: `environments.staging.target: "shh" is not a target; did you mean "ssh"?` */
export function sayMistake({ path, problem }: Mistake): string {
  return path === "" ? problem : `${path}: ${problem}`;
}

/** In the order of the file, each once. Of more than `most` the last says how many others there are. */
export function listMistakes(
  problems: readonly Problem[],
  lineOf: (path: Path) => number | undefined,
  most: number,
): readonly Mistake[] {
  const mistakes = new Map<string, Mistake>();
  for (const { path, problem } of problems) {
    const line = lineOf(path);
    const mistake = { path: sayPath(path), problem, ...(line === undefined ? {} : { line }) };
    mistakes.set(sayMistake(mistake), mistake);
  }
  const inOrder = [...mistakes.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const more = inOrder.length - most;
  return more > 0 ? [...inOrder.slice(0, most), { path: "", problem: `and ${more} more` }] : inOrder;
}

/** A text of the file in double quotes, short and without characters that could hide or turn around what stands beside it. */
export function quote(text: string): string {
  const characters = [...text.slice(0, 2 * (mostCharacters + 1))];
  const short = characters.length > mostCharacters ? `${characters.slice(0, mostCharacters).join("")}…` : text;
  return JSON.stringify(short).replace(/\p{C}/gu, (hidden) => `\\u{${hidden.codePointAt(0)?.toString(16)}}`);
}

const mostCharacters = 60;

function sayPath(path: Path): string {
  return path.map((key, at) => sayKey(key, at === 0)).join("");
}

function sayKey(key: PropertyKey, first: boolean): string {
  if (typeof key === "number") return `[${key}]`;
  const name = String(key);
  if (!/^[\w-]{1,60}$/.test(name)) return `[${quote(name)}]`;
  return first ? name : `.${name}`;
}
