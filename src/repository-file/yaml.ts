import { type Document, LineCounter, parseDocument } from "yaml";
import type { Path, Problem } from "./mistake.ts";
import { inspect } from "./yaml-inspection.ts";
import { lineFinder } from "./yaml-lines.ts";
import { syntaxProblem } from "./yaml-syntax.ts";

/** Plain data without prototypes to pollute, circles or surprises; `lineOf` finds the line of a value, or of the nearest thing around it. */
export type Yaml = {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  readonly lineOf: (path: Path) => number | undefined;
};

/** Reads YAML 1.2 of up to 256 KB. Empty, its value is `null`; it is `undefined` when the text cannot be read as data. */
export function readYaml(text: string): Yaml {
  const bytes = Buffer.byteLength(text);
  if (bytes > mostBytes) return refused(`the file is ${sayBytes(bytes)}; at most ${sayBytes(mostBytes)}`);
  try {
    return read(text);
  } catch (error) {
    if (isStackOverflow(error)) return refused("the file is nested too deeply");
    throw error;
  }
}

const mostBytes = 256 * 1024;

function read(text: string): Yaml {
  const lines = new LineCounter();
  // Our own search for duplicate keys takes linear time, the library's does not: 60,000 keys in one mapping would stop the server for seconds.
  const options = { merge: true, uniqueKeys: false, stringKeys: true, resolveKnownTags: false, prettyErrors: false };
  const document = parseDocument(text, { ...options, lineCounter: lines });
  const lineOf = lineFinder(document, lines);
  // Only the first: the others are often consequences of it.
  const [error] = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    return { ...refused(`line ${line}, column ${col}: ${syntaxProblem(error, text)}`), lineOf: () => line };
  }
  const { problems, readable } = inspect(document);
  return readable ? convert(document, problems, lineOf) : { value: undefined, problems, lineOf };
}

/** What aliases repeat is counted already. */
function convert(document: Document, problems: Yaml["problems"], lineOf: Yaml["lineOf"]): Yaml {
  try {
    return { value: document.toJS({ maxAliasCount: -1 }), problems, lineOf };
  } catch (error) {
    if (Error.isError(error) && error.message.startsWith("Merge sources"))
      return refused("what << merges must be a mapping, or a list of them");
    throw error;
  }
}

function refused(problem: string): Yaml {
  return { value: undefined, problems: [{ path: [], problem }], lineOf: () => undefined };
}

function sayBytes(bytes: number): string {
  const kilobytes = Math.ceil(bytes / 1024);
  return kilobytes < 1024 ? `${kilobytes} KB` : `${Math.round(kilobytes / 102.4) / 10} MB`;
}

/** V8 says it in two ways: the second when a regular expression runs out of stack. */
function isStackOverflow(error: unknown): boolean {
  return Error.isError(error) && /Maximum call stack size exceeded|Stack overflow/.test(error.message);
}
