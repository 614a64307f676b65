import { z } from "zod";
import { isNotYet } from "./later.ts";
import type { Path, Problem } from "./mistake.ts";
import { quote } from "./mistake.ts";
import { list, nearest } from "./nearest.ts";

/** Everything that a schema has against a value, in the words of YAML; empty when it accepts it. What a schema says in its own words stays. */
export function problemsWith(schema: z.ZodType, value: unknown, path: Path = []): readonly Problem[] {
  return flatten(schema.safeParse(value, { error: words }).error?.issues ?? [], path);
}

/** Says that a value is none of the names that are allowed. */
export function noSuchName(given: string, what: string, names: readonly string[]): string {
  const near = nearest(given, names);
  const hint = near ? `did you mean ${quote(near)}?` : names.length ? `known: ${list(names, "and")}` : "there is none";
  return `${quote(given)} is not ${what}; ${hint}`;
}

/** Says what kind of value was expected and what is there instead. */
export function wrongKind(expected: string, given: unknown): string {
  if (given === undefined) return `is missing; it must be ${expected}`;
  if (given === null) return `is empty; it must be ${expected}`;
  if (expected === kinds.int && typeof given === "number") return `must be ${expected}, not ${given}`;
  const unquoted = expected === kinds.string && (typeof given === "number" || typeof given === "boolean");
  return `must be ${expected}, not ${kindOf(given)}${unquoted ? "; put it in quotes" : ""}`;
}

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

const kinds: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "a mapping",
  record: "a mapping",
  map: "a mapping",
  null: "empty",
};

function words(issue: RawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return wrongKind(kinds[issue.expected] ?? `a ${issue.expected}`, issue.input);
    case "invalid_value":
      return notAllowed(issue.values.map(String), issue.input);
    case "invalid_union":
      return noneOf(issue);
    case "unrecognized_keys":
      return unknownKeys(issue);
    case "too_small":
      return size(issue.origin, Number(issue.minimum), "at least", issue.input);
    case "too_big":
      return size(issue.origin, Number(issue.maximum), "at most", issue.input);
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "invalid_format":
      return `${quote(String(issue.input))} is not ${formats[issue.format] ?? "in the right form"}`;
    case "invalid_key":
    case "invalid_element":
      return issue.issues[0]?.message ?? "is not allowed";
    case "custom":
      return "is not allowed";
  }
}

const formats: Readonly<Record<string, string>> = { url: "a web address", email: "an e-mail address" };

function notAllowed(values: readonly string[], given: unknown): string {
  const allowed = list(values, "or");
  if (typeof given !== "string") return wrongKind(allowed, given);
  const near = nearest(given, values);
  return `must be ${allowed}, not ${quote(given)}${near ? `; did you mean ${quote(near)}?` : ""}`;
}

/** None of the kinds that a union offers is the value's. */
function noneOf(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string {
  if (Array.isArray(issue.options)) return notAllowed(issue.options.map(String), propertyOf(issue.input, issue.discriminator));
  const offered = issue.errors.flatMap((branch) => branch.filter(isAboutKind).flatMap(expectedBy));
  return notAllowed([...new Set(offered)], issue.input);
}

function expectedBy(issue: Issue): readonly string[] {
  if (issue.code === "invalid_type") return [kinds[issue.expected] ?? `a ${issue.expected}`];
  return issue.code === "invalid_value" ? issue.values.map(String) : [];
}

function isAboutKind(issue: Issue): boolean {
  return issue.path.length === 0 && ["invalid_type", "invalid_value", "invalid_union"].includes(issue.code);
}

/** One line for each key; `flatten` takes them apart again. */
function unknownKeys(issue: z.core.$ZodRawIssue<z.core.$ZodIssueUnrecognizedKeys>): string {
  const shape = issue.inst instanceof z.ZodObject ? issue.inst.shape : {};
  const known = Object.keys(shape);
  const allowed = known.filter((key) => !isNotYet(shape[key]));
  const hints = issue.keys.map((key) => nearest(key, known));
  return hints.map((near) => `is not a key here; ${near ? `did you mean ${quote(near)}?` : allowedKeys(allowed)}`).join("\n");
}

function allowedKeys(allowed: readonly string[]): string {
  return allowed.length ? `known: ${list(allowed, "and")}` : "there is none";
}

function size(origin: string, limit: number, bound: "at least" | "at most", given: unknown): string {
  if (origin === "number" || origin === "int") return `must be ${bound} ${limit}, not ${String(given)}`;
  const length = typeof given === "string" || Array.isArray(given) ? given.length : Object.keys(Object(given)).length;
  if (length === 0) return `is empty; ${bound} ${count(origin, limit)}`;
  return `has ${count(origin, length)}; ${bound} ${limit}`;
}

function count(origin: string, many: number): string {
  return `${many} ${origin === "string" ? "character" : many === 1 ? "entry" : "entrie"}${many === 1 ? "" : "s"}`;
}

function flatten(issues: readonly Issue[], prefix: Path): readonly Problem[] {
  return issues.flatMap((issue): readonly Problem[] => {
    const path = [...prefix, ...issue.path];
    if (issue.code === "unrecognized_keys") {
      const lines = issue.message.split("\n");
      return issue.keys.map((key, at) => ({ path: [...path, key], problem: lines[at] ?? issue.message }));
    }
    const inner = issue.code === "invalid_union" ? closest(issue.errors) : undefined;
    return inner ? flatten(inner, path) : [{ path, problem: issue.message }];
  });
}

/** Of a union's branches the one whose kind the value has: only its problems help. */
function closest(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fitting = branches.filter((branch) => !branch.some(isAboutKind));
  return fitting.sort((a, b) => a.length - b.length)[0];
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return kinds.array ?? "";
  return value === null ? "empty" : (kinds[typeof value] ?? typeof value);
}

function propertyOf(value: unknown, key: string | undefined): unknown {
  return typeof value === "object" && value !== null && key !== undefined ? Reflect.get(value, key) : undefined;
}
