import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { sayMistake } from "../../src/repository-file/mistake.ts";
import { parseRepositoryFile } from "../../src/repository-file/parse.ts";
import { exampleFile } from "../../src/repository-file/reference.ts";
import { known } from "./known.ts";
import { accepted, says } from "./says.ts";

const bombOf = (entries: number) =>
  [
    "a: &a [x, x]",
    ..."bcdefghij".split("").map((name, at) => `${name}: &${name} [${Array(entries).fill(`*${"abcdefghij"[at]}`)}]`),
  ].join("\n");

const values = "the file has more than 20000 values, counting those that aliases (*) repeat";

describe("a hostile file", () => {
  it.each([
    ["of 10 MB", "x".repeat(10 * 1024 * 1024), "the file is 10 MB; at most 256 KB"],
    ["one byte too large", " ".repeat(256 * 1024 + 1), "the file is 257 KB; at most 256 KB"],
    ["too large in bytes, not in characters", "#".padEnd(200_000, "ä"), "the file is 391 KB; at most 256 KB"],
    ["with an alias bomb", bombOf(9), values],
    [
      "with aliases that do no harm but never end",
      `a: &a 1\nb: [${Array(20_000).fill("*a")}]`,
      "b[100]: is one alias (*) too many; at most 100",
    ],
    ["of brackets that never close", "[".repeat(250_000), "the file is nested too deeply"],
    ["of nested lists", `checks: ${"[".repeat(40)}${"]".repeat(40)}`, "is nested too deeply; at most 32 levels"],
    ["of nested keys that are no texts", "? ".repeat(100_000), "a key must be text"],
    [
      "with too many checks",
      `checks: {${Array.from({ length: 51 }, (_, at) => `c${at}: { run: a }`)}}`,
      "checks: has 51 entries; at most 50",
    ],
    ["with 40,000 values", `{${Array.from({ length: 40_000 }, (_, at) => at.toString(36))}}`, values],
    ["with 15,000 unknown keys", `{${Array.from({ length: 15_000 }, (_, at) => at.toString(36))}}`, "and 14980 more"],
    [
      "with 15,000 mistakes behind an alias",
      `notify: &a {${Array.from({ length: 15_000 }, (_, at) => `v${at}: []`)}}\nchecks: { test: { run: a, env: *a } }`,
      values,
    ],
    [
      "with 6,000 mistakes behind an alias",
      `notify: &a {${Array.from({ length: 6_000 }, (_, at) => `v${at}: []`)}}\nchecks: { test: { run: a, env: *a } }`,
      "and 5981 more",
    ],
    [
      "with long names that nearly fit",
      `environments: { ${"a".repeat(100_000)}: { after: ${"a".repeat(100_001)} } }`,
      "is not an environment of this file",
    ],
    [
      "with too many environments",
      `environments: {${Array.from({ length: 9000 }, (_, at) => `e${at}: { after: e${at + 1} }`)}}`,
      "environments: has 9000 entries; at most 50",
    ],
  ])("%s is refused", (_, text, sentence) => {
    const told = says(text);
    expect(told.join("\n")).toContain(sentence);
    expect(told.length).toBeLessThanOrEqual(21);
  });

  it("of exactly 256 KB is read", () => {
    expect(accepted(`${exampleFile}#`.padEnd(256 * 1024, "x"))).toEqual(accepted(exampleFile));
  });

  it("cannot reach the prototype of anything", () => {
    const text = `
__proto__: { polluted: 1 }
constructor: { prototype: { polluted: 1 } }
checks:
  __proto__: { run: a }
  test: { run: a, env: { __proto__: b }, __proto__: { timeout: 5m } }
  merged: { <<: { __proto__: { polluted: 1 } }, run: a }
environments:
  staging: { target: directory, with: { path: a, __proto__: { polluted: 1 } } }
`;
    expect(says(text)).toEqual(
      expect.arrayContaining([
        "__proto__: is not a key here",
        "checks.__proto__: is not a key here",
        "checks.test.env.__proto__: is not a key here",
      ]),
    );
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  it("is told about in short sentences, however long its texts are", () => {
    const long = "y".repeat(40_000);
    for (const text of [
      `${long}: 1`,
      `checks: { test: { run: a, timeout: ${long} } }`,
      `environments: { a: { target: ${long}, trigger: ${long} } }`,
      `checks: { test: { run: a, paths: [${long}/, "${long}["], env: { ${long}: [] } } }`,
      `checks: !${long} x`,
      `checks: *${long}`,
    ])
      expect(Math.max(...says(text).map((sentence) => sentence.length))).toBeLessThan(300);
  });
});

/** Values as they could stand in a file: often the right key with the wrong thing behind it. */
const keys = fc.constantFrom(
  ..."checks environments automerge notify test staging run name runner with timeout paths env trigger branch after target path from keep url require_checks build approvals config __proto__ constructor toString 0".split(
    " ",
  ),
);
const texts = fc.oneof(
  fc.constantFrom(
    "test",
    "staging",
    "local",
    "directory",
    "command",
    "merge",
    "15m",
    "9h",
    "all",
    "none",
    "src/**",
    "!a",
    "{{ sha }}",
    "{{ x }}",
    "{{",
    "https://a.example",
    "a: b",
    "*a",
    "\0",
    "\u202e",
  ),
  fc.string({ unit: "binary" }),
);
const { value: anything } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "medium" },
    texts,
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(keys, texts), tie("value"), { maxKeys: 6 }),
  ),
}));
const files = fc.record(
  { checks: fc.dictionary(fc.oneof(keys, texts), anything), environments: fc.dictionary(fc.oneof(keys, texts), anything) },
  { requiredKeys: [] },
);

describe("any text at all", () => {
  const zodsOwnWords = /Invalid|expected|received|Unrecognized|Too (?:big|small)/;

  function judge(text: string): void {
    const parsed = parseRepositoryFile(text, known);
    expect(Object.keys(Object.prototype)).toEqual([]);
    if (parsed.kind === "file") return void expect(JSON.parse(JSON.stringify(parsed.file))).toEqual(parsed.file);
    const unfit = parsed.mistakes.filter((mistake) => {
      const withoutQuotations = mistake.problem.replaceAll(/"(?:[^"\\]|\\.)*"|\{\{[^}]*\}\}/g, "");
      return withoutQuotations === "" || zodsOwnWords.test(withoutQuotations) || /undefined|\[object/.test(sayMistake(mistake));
    });
    expect(unfit).toEqual([]);
    expect(parsed.mistakes.length).toBeGreaterThan(0);
    expect(parsed.mistakes.length).toBeLessThanOrEqual(21);
  }

  it("is a file or has mistakes, when it is noise", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), judge), { numRuns: 500 });
  });

  it("is a file or has mistakes, when it is made of YAML's own marks", () => {
    const marks = fc.constantFrom(
      "a",
      ":",
      " ",
      "\n",
      "- ",
      "? ",
      "[",
      "]",
      "{",
      "}",
      ",",
      "&a ",
      "*a",
      "!t ",
      "<<",
      "|",
      ">",
      "'",
      '"',
      "#",
      "%",
      "---\n",
      "...\n",
      "\t",
      "  ",
      "checks",
      "run",
      "\\",
      "~",
    );
    fc.assert(
      fc.property(fc.array(marks, { maxLength: 60 }), (parts) => judge(parts.join(""))),
      { numRuns: 1000 },
    );
  });

  it("is a file or has mistakes, when it is a good file with a part cut out or put in", () => {
    const cuts = fc.tuple(fc.nat(exampleFile.length), fc.nat(30), fc.oneof(texts, keys));
    fc.assert(
      fc.property(cuts, ([at, many, text]) => judge(exampleFile.slice(0, at) + text + exampleFile.slice(at + many))),
      { numRuns: 500 },
    );
  });

  it("is a file or has mistakes, when it is well-formed", () => {
    fc.assert(
      fc.property(files, (file) => judge(JSON.stringify(file))),
      { numRuns: 500 },
    );
  });
});
