import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { problemsWith } from "../../src/repository-file/problems.ts";

/** Targets bring schemas of any kind; people see our words for all of them. */
describe("what is said about the options of a plug-in", () => {
  const kinds = z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("blue"), shade: z.number() }),
    z.strictObject({ kind: z.literal("green") }),
  ]);
  it.each<[string, z.ZodType, unknown, string]>([
    [
      "an enumeration",
      z.enum(["rolling", "canary"]),
      "rollling",
      'must be rolling or canary, not "rollling"; did you mean "rolling"?',
    ],
    ["an enumeration and nothing", z.enum(["rolling", "canary"]), undefined, "is missing; it must be rolling or canary"],
    ["a literal", z.literal(5), 6, "must be 5, not a number"],
    ["an address", z.url(), "x", '"x" is not a web address'],
    ["a form of its own", z.uuid(), "x", '"x" is not in the right form'],
    ["an expression", z.string().regex(/^a$/), "b", '"b" is not in the right form'],
    ["a long text", z.string().max(3), "abcd", "has 4 characters; at most 3"],
    ["a short list", z.array(z.string()).min(2), ["a"], "has 1 entry; at least 2"],
    ["a step", z.number().multipleOf(5), 7, "must be a multiple of 5"],
    ["a number that is none", z.number(), Number.NaN, "must be a number, not a number"],
    ["true or false", z.boolean(), "yes", "must be true or false, not text"],
    ["a refinement without words", z.string().refine(() => false), "x", "is not allowed"],
    ["words of its own", z.string().refine(() => false, "is not a region"), "x", "is not a region"],
    ["an unknown kind", kinds, { kind: "red" }, 'kind: must be blue or green, not "red"'],
    ["no kind", kinds, {}, "kind: is missing; it must be blue or green"],
    ["the right kind", kinds, { kind: "blue" }, "shade: is missing; it must be a number"],
    ["no key at all", z.strictObject({}), { a: 1 }, "a: is not a key here; there is none"],
    [
      "the better of two",
      z.union([z.strictObject({ a: z.string() }), z.strictObject({ b: z.string(), c: z.string() })]),
      { c: "x" },
      "b: is missing; it must be text",
    ],
  ])("%s", (_, schema, value, sentence) => {
    const [first, ...others] = problemsWith(schema, value);
    expect([first?.path.join("."), first?.problem].filter(Boolean).join(": ")).toBe(sentence);
    expect(others).toEqual([]);
  });
});
