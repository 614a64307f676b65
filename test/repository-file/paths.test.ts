import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { pathsMatch, patternProblem } from "../../src/repository-file/paths.ts";

describe("the paths of a check", () => {
  it.each([
    ["src/**", "src/a.ts", true],
    ["src/**", "src/a/b/.hidden", true],
    ["src/**", "src", false],
    ["src/**", "lib/src/a.ts", false],
    ["src", "src/a.ts", false],
    ["*", "a.ts", true],
    ["*", "src/a.ts", false],
    ["*.ts", ".ts", true],
    ["**", "a/b/c", true],
    ["**.js", "a/b/c.js", true],
    ["package*.json", "package-lock.json", true],
    ["package*.json", "web/package.json", false],
    ["**/package.json", "package.json", true],
    ["**/package.json", "web/app/package.json", true],
    ["**/package.json", "web/my-package.json", false],
    ["docs/**/*.md", "docs/a.md", true],
    ["docs/**/*.md", "docs/a/b/c.md", true],
    ["docs/**/*.md", "docsa.md", false],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["a?c", "a/c", false],
    ["a.c", "abc", false],
    ["a+b$^", "a+b$^", true],
    ["ä/*", "ä/\n", true],
  ])("%s on %j: %s", (pattern, file, match) => {
    expect(pathsMatch([pattern], [file])).toBe(match);
  });

  it("match as soon as one file does", () => {
    expect(pathsMatch(["src/**"], ["README.md", "src/a.ts"])).toBe(true);
    expect(pathsMatch(["src/**"], ["README.md", "docs/a.md"])).toBe(false);
    expect(pathsMatch(["**"], [])).toBe(false);
  });

  it("are decided by the last pattern that matches a file, as at GitHub", () => {
    const patterns = ["src/**", "!src/docs/**", "src/docs/api.md"];
    expect(pathsMatch(patterns, ["src/docs/intro.md"])).toBe(false);
    expect(pathsMatch(patterns, ["src/docs/api.md"])).toBe(true);
    expect(pathsMatch(patterns, ["src/docs/intro.md", "src/a.ts"])).toBe(true);
  });

  it("end with a check too many, when a pattern and its files would take too long", () => {
    const files = Array.from({ length: 10_000 }, (_, at) => `${"a".repeat(1000)}${at}`);
    expect(pathsMatch([`${"*a".repeat(50)}b`], files)).toBe(true);
  });

  it("always match what is written in them letter by letter", () => {
    const names = fc.stringMatching(/^[a-z.$^+]{1,8}(\/[a-z.$^+]{1,8}){0,3}$/);
    fc.assert(fc.property(names, (name) => patternProblem(name) !== null || pathsMatch([name], [name])));
    fc.assert(
      fc.property(names, names, (name, other) => name === other || patternProblem(name) !== null || !pathsMatch([name], [other])),
    );
  });
});
