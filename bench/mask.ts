import { createMask } from "../src/secrets/mask.ts";
import { type Figure, type Measure, median } from "./support/measure.ts";

const rounds = 5;
const output = Buffer.alloc(4_000_000, `${"a".repeat(63)}\n`);
const piece = 65_536;

export const measure: Measure = {
  title: "taking secrets out of 4 MB that look like their beginnings, against one short secret",
  async run() {
    const base = median(times([`${"a".repeat(16)}!`]));
    const ways: readonly (readonly [string, readonly string[]])[] = [
      ["a secret of 8,000 letters", [`${"a".repeat(8_000)}!`]],
      ["100 secrets of 80 letters", Array.from({ length: 100 }, (_, index) => `${"a".repeat(76)}${index}!`)],
      ["a key of 50 lines", [Array.from({ length: 50 }, (_, index) => `${"a".repeat(60)}${index}`).join("\n")]],
    ];
    return [
      { what: "a secret of 16 letters", value: `${base.toFixed(0)} ms` },
      ...ways.map(([what, values]): Figure => {
        const time = median(times(values));
        return { what, value: `${time.toFixed(0)} ms`, ratio: time / base, aim: { is: "at most", ratio: 3 } };
      }),
    ];
  },
};

function times(values: readonly string[]): readonly number[] {
  return Array.from({ length: rounds }, () => {
    const began = performance.now();
    const mask = createMask();
    for (const value of values) mask.add(value);
    for (let at = 0; at < output.length; at += piece) mask.pass(output.subarray(at, at + piece));
    mask.rest();
    return performance.now() - began;
  });
}
