import { describe, expect, it } from "@jest/globals";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { repositoryFilePages } from "../../scripts/generate/repository-file.ts";
import { repositoryFileJsonSchema } from "../../src/repository-file/json-schema.ts";
import { exampleFile } from "../../src/repository-file/reference.ts";
import { known } from "./known.ts";
import { accepted, says } from "./says.ts";

const pages = repositoryFilePages(known);
const page = pages["docs/reference/repository-file.md"] ?? "";
const validate = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true }).compile(
  repositoryFileJsonSchema(known),
);

describe("the JSON Schema", () => {
  it.each([
    exampleFile,
    "checks: { test: { run: [{ name: a, run: b }], env: { A: 1, B: true, C: x } } }",
    "environments: { a: { target: directory, with: { path: '{{ sha }}' }, require_checks: none } }",
    "notify: [{ slack: A }, { webhook: B, secret: C, events: [failure] }]",
    "environments: { a: { target: command, with: { run: a }, approvals: {}, freeze: [{ days: [fri], from: '16:00' }], health: { url: 'https://a.example' }, rollback: automatic, paths: [a] } }",
  ])("accepts what the server accepts: %j", (text) => {
    expect(says(text)).toEqual([]);
    expect([validate(parse(text)), validate.errors]).toEqual([true, null]);
  });

  it.each([
    "checks: { test: { tmeout: 5m } }",
    "checks: { test: { run: a, image: 1 } }",
    "checks: { a/b: { run: a } }",
    "environments: { a: { target: shh } }",
    "environments: { a: { target: directory } }",
    "environments: { a: { target: directory, with: { path: a, host: b } } }",
    "environments: { a: { target: command, with: { run: a }, approvals: 1 } }",
    "notify: []",
  ])("refuses what the server refuses: %j", (text) => {
    expect(says(text)).not.toEqual([]);
    expect(validate(parse(text))).toBe(false);
  });

  it("is made anew without a difference", () => {
    expect(repositoryFilePages(known)).toEqual(pages);
  });
});

describe("the reference page", () => {
  it("starts with a file that works", () => {
    expect(page).toContain(`\`\`\`yaml\n${exampleFile}\`\`\``);
    expect(Object.keys(accepted(exampleFile).environments)).toEqual(["staging", "production"]);
  });

  it("describes every key that works, and no other", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key);
    expect(rows).toEqual([
      ...["run", "runner", "with", "timeout", "paths", "env", "cache", "image", "name", "run"],
      ...["trigger", "branch", "after", "target", "with", "build", "timeout", "url", "require_checks"],
      ...["approvals", "freeze", "health", "rollback", "paths", "ttl", "quota"],
      ...["count", "users", "teams", "days", "from", "to", "timezone", "reason", "url", "within", "expect"],
      ...["path", "from", "keep", "run", "secrets", "host", "path", "key", "app", "key"],
      ...["method", "label"],
      ...["slack", "webhook", "secret", "events"],
    ]);
    expect(page).toContain("| `timeout` | text | `30m` |");
    expect(page).toContain("| `path` | text | refused | Where it goes. |");
    expect(page).toContain("A folder \\| of the checkout.");
    expect(page).not.toMatch(/undefined|\[object/);
  });
});
