/**
 * Whether a change concerns a check: the last pattern that matches a file decides about it, and one file that is in is enough.
 * The order and the leading `!` are GitHub's own (https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#onpushpull_requestpull_request_targetpathspaths-ignore).
 * Where the comparison would take too long the answer is true: a check too many is better than a change that nothing has tested.
 */
export function pathsMatch(patterns: readonly string[], files: Iterable<string>): boolean {
  const rules = patterns.map((pattern) => ({
    includes: !pattern.startsWith("!"),
    tokens: tokensOf(pattern.replace(/^!/, "")),
  }));
  const effort = { left: mostSteps };
  for (const file of files) {
    const last = rules.findLast(({ tokens }) => matches(tokens, file, effort));
    if (last?.includes || effort.left < 0) return true;
  }
  return false;
}

/** What is wrong with one pattern, or `null`. Characters that tools read differently are refused, because a pattern that matches nothing skips its check. */
export function patternProblem(pattern: string): string | null {
  const plain = pattern.replace(/^!/, "");
  const strange = /[[\]()|\\]/.exec(plain)?.[0];
  if (plain === "") return "has no pattern";
  if (/[{}]/.test(plain)) return "has { }; write one pattern for each alternative";
  if (strange) return `has ${strange}, which tools read differently; write ? for that one character`;
  if (/^\.?\//.test(plain)) return "must start at the top folder of the repository, without / or ./";
  return plain.endsWith("/") ? "names a folder; end it with /** for the files in it" : null;
}

/** One step of a pattern. `maybe` may leave out the two tokens behind it. */
type Token = { readonly kind: "maybe" | "anything" | "name" | "one" } | { readonly kind: "letter"; readonly letter: string };

/** About a third of a second. */
const mostSteps = 5_000_000;

function tokensOf(pattern: string): readonly Token[] {
  return Array.from(pattern.matchAll(/(?<=^|\/)\*\*\/|\*{2,}|[\s\S]/g), ([part]) => tokenOf(part)).flat();
}

function tokenOf(part: string): readonly Token[] {
  if (part === "**/") return [{ kind: "maybe" }, { kind: "anything" }, { kind: "letter", letter: "/" }];
  if (part.startsWith("**")) return [{ kind: "anything" }];
  if (part === "*") return [{ kind: "name" }];
  return part === "?" ? [{ kind: "one" }] : [{ kind: "letter", letter: part }];
}

/** Follows all ways through the pattern at once, because a backtracking regular expression made of a hostile pattern can take minutes for one name. */
function matches(tokens: readonly Token[], file: string, effort: { left: number }): boolean {
  let here = reach(tokens, [0]);
  for (const letter of file.match(/[\s\S]/g) ?? []) {
    effort.left -= here.size + 1;
    if (here.size === 0 || effort.left < 0) return false;
    here = reach(
      tokens,
      [...here].flatMap((at) => after(tokens[at], at, letter)),
    );
  }
  return here.has(tokens.length);
}

function after(token: Token | undefined, at: number, letter: string): readonly number[] {
  switch (token?.kind) {
    case undefined:
    case "maybe":
      return [];
    case "anything":
      return [at];
    case "name":
      return letter === "/" ? [] : [at];
    case "one":
      return letter === "/" ? [] : [at + 1];
    case "letter":
      return token.letter === letter ? [at + 1] : [];
  }
}

/** Where one can be without reading another letter. */
function reach(tokens: readonly Token[], from: readonly number[]): ReadonlySet<number> {
  const places = new Set(from);
  for (const at of places) {
    const kind = tokens[at]?.kind;
    if (kind === "maybe" || kind === "anything" || kind === "name") places.add(at + 1);
    if (kind === "maybe") places.add(at + 3);
  }
  return places;
}
