import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { createLogBudget } from "../../src/runs/log-budget.ts";

function kept(limit: number, lines: readonly string[]): readonly string[] {
  const budget = createLogBudget(limit);
  return [...lines.flatMap((line) => budget.take(line)), ...budget.end()];
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `line ${String(index + 1).padStart(5, "0")}`);

describe("the budget of a log", () => {
  it("keeps a log that fits as it is", () => {
    const lines = numbered(100);
    expect(kept(100 * 11, lines)).toEqual(lines);
  });

  it("keeps the beginning and the end of one that does not, and says in the middle how much is missing", () => {
    const lines = numbered(1_000);
    const out = kept(110 * 4, lines);
    expect(out.slice(0, 30)).toEqual(lines.slice(0, 30));
    expect(out.slice(30, 32)).toEqual([
      "… the log is full: of what follows only the end is kept, and shown when the run has ended",
      "… 960 lines (0.0 MB) are missing here: the log reached MAX_LOG_SIZE",
    ]);
    expect(out.slice(32)).toEqual(lines.slice(-10));
  });

  it("keeps just as much of the end of one that is very large", () => {
    const lines = numbered(60_000);
    const [limit, end] = [400_000, 100_000];
    const out = kept(limit, lines);
    expect(out.slice(-Math.floor(end / 11))).toEqual(lines.slice(-Math.floor(end / 11)));
    const missing = out.map((line) => /^… (\d+) lines/.exec(line)?.[1]).find((count) => count !== undefined);
    expect(out.length - 2 + Number(missing)).toBe(lines.length);
    const bytes = out.filter((line) => !line.startsWith("… ")).reduce((sum, line) => sum + line.length + 1, 0);
    expect(limit - bytes).toBeLessThan(11 * 2);
  });

  it("keeps long lines whole behind short ones", () => {
    const long = Array.from({ length: 40 }, (_, index) => `${index} ${"船".repeat(16_000)}`);
    const out = kept(4_000_000, [...numbered(400_000), ...long]);
    expect(out.slice(-20)).toEqual(long.slice(-20));
  });

  it("counts every line: those that are kept and those that it says are missing are all there were", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 30 })), fc.integer({ min: 0, max: 600 }), (lines, limit) => {
        const out = kept(limit, lines);
        const missing = out.map((line) => /^… (\d+) lines .* MAX_LOG_SIZE$/.exec(line)?.[1]).find((count) => count !== undefined);
        if (missing === undefined) expect(out).toEqual(lines);
        else expect(out.length - 2 + Number(missing)).toBe(lines.length);
        const bytes = out.filter((line) => !line.startsWith("… ")).reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
        expect(bytes).toBeLessThanOrEqual(limit);
      }),
    );
  });
});
