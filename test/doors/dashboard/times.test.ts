import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { agoInWords, tookInWords } from "../../../src/doors/dashboard/client/times.js";
import { durationInWords } from "../../../src/runs/sentences.ts";

describe("times on a page", () => {
  it("are said in the words of our statuses on GitHub", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000, max: 400_000_000 }), (time) => expect(tookInWords(time)).toBe(durationInWords(time))),
    );
  });

  it.each([
    [-3_000, "just now"],
    [9_999, "just now"],
    [10_000, "10 s ago"],
    [60_000, "1 min ago"],
    [5 * 3_600_000, "5 h ago"],
    [47 * 3_600_000, "47 h ago"],
    [48 * 3_600_000, "2 d ago"],
  ])("%d ms are %s", (milliseconds, words) => expect(agoInWords(milliseconds)).toBe(words));
});
