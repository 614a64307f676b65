import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { createOutputReader, longestCommand, type MaskBudget, usualMaskBudget } from "../../src/runners/local/output-reader.ts";

interface Read {
  readonly log: string;
  readonly concealed: readonly string[];
  readonly error: string | null;
}

function read(pieces: readonly (string | Uint8Array)[], budget: MaskBudget = usualMaskBudget()): Read {
  const concealed: string[] = [];
  const reader = createOutputReader((value) => void concealed.push(value), budget);
  const out = pieces.map((piece) => Buffer.from(reader.take(Buffer.from(piece))));
  return { log: Buffer.concat([...out, reader.end()]).toString("latin1"), concealed, error: reader.firstError() };
}

/** The log as text. */
function logOf(...pieces: readonly string[]): string {
  return Buffer.from(read(pieces).log, "latin1").toString("utf8");
}

describe("workflow commands in a step's output", () => {
  it.each([
    ["plain\n::group::Install é\nmore\n::endgroup::\nafter\n", "plain\n▾ Install é\nmore\n▴ Install é\nafter\n"],
    ["::endgroup::\n::group::open", "▾ open\n"],
    [
      "::error file=src/a.ts,line=12,col=5,title=Wrong%3A type::Expected 2\n",
      "\x1b[31mError: Wrong: type: Expected 2 (src/a.ts:12:5)\x1b[0m\n",
    ],
    ["  ::error::alone\r\n", "\x1b[31mError: alone\x1b[0m\n"],
    ["::warning file=a.ts,col=5::No line, no column\n", "\x1b[33mWarning: No line, no column (a.ts)\x1b[0m\n"],
    ["::notice line=3::Nowhere\n", "\x1b[36mNotice: Nowhere\x1b[0m\n"],
    ["::error::one%0Atwo 100%25 %2525\n", "\x1b[31mError: one\x1b[0m\n\x1b[31mtwo 100% %25\x1b[0m\n"],
    ["::group::a%0A%1b[2Jb\x1b[2J\n", "▾ a %1b[2Jb [2J\n"],
    ["::error file=a=b.ts::x\n", "\x1b[31mError: x (a=b.ts)\x1b[0m\n"],
  ])("%j is shown as %j", (output, shown) => {
    expect(logOf(output)).toBe(shown);
  });

  it.each([
    "a ::error::in the middle of a line\n",
    "::error file=a.ts\n",
    "::unknown::command\n",
    ":: error::blank\n",
    "::::\n",
    "std::vector<int>\n::\n:",
    "::constructor::x\n",
    "progress 10 %\rprogress 20 %",
    "+ echo ::add-mask::x\n",
  ])("%j stays as it is", (output) => {
    expect(read([output])).toEqual({ log: output, concealed: [], error: null });
  });

  it("conceals what add-mask names before anything that follows, and shows nothing of the line", () => {
    const seen: string[] = [];
    const reader = createOutputReader((value) => void seen.push(`conceal ${value}`), usualMaskBudget());
    for (const piece of ["before\n::add-", "mask::s3cret%25 x\r", "\nafter s3cret% x\n"])
      seen.push(Buffer.from(reader.take(Buffer.from(piece))).toString());

    expect(seen).toEqual(["before\n", "", "conceal s3cret% x", "after s3cret% x\n"]);
  });

  it("obeys the last line without an end, too", () => {
    expect(read(["::add-mask::s3cret"])).toEqual({ log: "", concealed: ["s3cret"], error: null });
  });

  it("ignores values that are empty, and says of those that are too long or too many that they stay", () => {
    const long = "x".repeat(longestCommand);
    const notMasked = /^\x1b\[33mWarning: ::add-mask:: .*not masked\x1b\[0m\n$/;

    expect(read(["::add-mask::\n::add-mask::  \n"])).toMatchObject({ log: "", concealed: [] });
    for (const pieces of [[`::add-mask::${long}\n`], [`::add-mask::${long}`, long, `${long}\n`], ["::add-mask::", long]]) {
      expect(read(pieces)).toMatchObject({ log: expect.stringMatching(notMasked), concealed: [] });
    }
    expect(read(["::add-mask::12345678\n"], { values: 9, characters: 7 }).concealed).toEqual([]);
    const many = Array.from({ length: 150 }, (_, index) => `value-${index}`);
    expect(read([many.map((value) => `::add-mask::${value}\n`).join("")]).concealed).toEqual(many.slice(0, 100));
  });

  it("counts the values of all steps together", () => {
    const budget = usualMaskBudget();
    read(["::add-mask::one\n".repeat(60)], budget);

    expect(read(["::add-mask::two\n".repeat(60)], budget).concealed).toHaveLength(40);
  });

  it("keeps a line that is too long for a command as it is, and goes on after it", () => {
    const long = `::error::${"x".repeat(longestCommand)}\n`;

    expect(logOf(long, "::group::a\n")).toBe(`${long}▾ a\n`);
    expect(logOf(long.slice(0, -1), "\n::group::a\n")).toBe(`${long}▾ a\n`);
  });

  it("remembers the first error, in one line", () => {
    const output = "::warning::no\n::error file=a.ts,line=3::one%0A\x1b[31mtwo\n::error::later\n";

    expect(read([output]).error).toBe("one [31mtwo (a.ts:3)");
  });

  it("reads the same, however the output is cut", () => {
    const part = fc.oneof(
      fc.constantFrom("::", ":", "\n", "\r\n", " ", "\t", "::group::", "::endgroup::\n", "::add-mask::", "%0A", "%25", "é", "="),
      fc.constantFrom("::error file=a,line=1::", "::notice::x\n", "::warning ", "::add-mask::s3cret\n", "a".repeat(9_000)),
      fc.string({ maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), fc.array(fc.nat(400), { maxLength: 20 }), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(""));
        const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const pieces = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
        expect(read(pieces)).toEqual(read([bytes]));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps all bytes of output without commands, and every line that is none", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 10 }), (pieces) => {
        const whole = Buffer.concat(pieces).toString("latin1").replaceAll("::", ":;");
        expect(read([Buffer.from(whole, "latin1")]).log).toBe(whole);
      }),
    );
  });
});
