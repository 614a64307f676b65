import { describe, expect, it } from "@jest/globals";
import { openHistory } from "../../src/process/history.ts";

/** As `git log` writes it: a commit, its tree, its parents. */
const line = (sha: string, ...parents: readonly string[]) => [sha, `tree-of-${sha}`, ...parents].join(" ");

describe("what is known of commits", () => {
  const history = openHistory(100);
  history.learn(1, [line("merge", "main", "head"), line("head", "base"), line("main", "base"), line("base", "root")].join("\n"));
  history.learn(1, line("lonely"));

  it.each([
    ["base", "merge", true],
    ["head", "merge", true],
    ["merge", "merge", true],
    // Known from the other direction, though what is before the root is not known.
    ["merge", "base", false],
    // The root is nobody's that was learned: what is behind it may be anything.
    ["head", "main", null],
    ["main", "lonely", false],
    ["lonely", "main", null],
  ])("says whether %s is in the history of %s: %s", (ancestor, descendant, answer) => {
    expect(history.isAncestor(1, ancestor, descendant)).toBe(answer);
  });

  it("is not searched for ever", () => {
    const long = openHistory(2_000);
    const lines = Array.from({ length: 1_000 }, (_, number) => line(`${number + 1}`, `${number}`));
    long.learn(1, [...lines, line("0")].join("\n"));
    expect(long.isAncestor(1, "600", "1000")).toBe(true);
    expect(long.isAncestor(1, "1000", "600")).toBe(false);
    expect(long.isAncestor(1, "0", "1000")).toBeNull();
  });

  it("is that of one repository alone", () => {
    expect(history.get(1, "base")).toEqual({ tree: "tree-of-base", parents: ["root"] });
    expect(history.get(2, "base")).toBeNull();
    expect(history.isAncestor(2, "base", "merge")).toBeNull();
  });

  it("is forgotten when it was not asked for longest", () => {
    const small = openHistory(2);
    small.learn(1, [line("a"), line("b")].join("\n"));
    small.get(1, "a");
    small.learn(1, line("c"));
    expect([small.get(1, "a"), small.get(1, "b"), small.get(1, "c")].map((facts) => facts?.tree)).toEqual([
      "tree-of-a",
      undefined,
      "tree-of-c",
    ]);
  });
});
