import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { whatAnEditChanges } from "../../src/repository-file/edit.ts";
import { accepted } from "./says.ts";

const edit = (base: string, head: string) => whatAnEditChanges(accepted(base), accepted(head));
const staging = (keys: string) => `environments: { staging: { ${keys} } }`;
const ssh = (options: string) => staging(`target: ssh, with: { path: /srv/shop, key: KEY, ${options} }`);
const here = "target: directory, with: { path: web }";

describe("what an edit changes for deployments", () => {
  it.each([
    ["a host", ssh("host: deploy@a"), ssh("host: deploy@b"), ["staging: host deploy@a → deploy@b"]],
    [
      "a target",
      staging(here),
      staging("target: command, with: { run: ./go }"),
      ["staging: target directory → command", "staging: path web → none", "staging: run is added"],
    ],
    ["approvals", staging(`${here}, approvals: { count: 1 }`), staging(here), ["staging: approvals 1 → none"]],
    [
      "who approves",
      staging(`${here}, approvals: { count: 2, users: [octocat] }`),
      staging(`${here}, approvals: { count: 2, teams: [release] }`),
      ["staging: approvals 2 by octocat → 2 by team release"],
    ],
    ["a build", staging(`${here}, build: npm ci`), staging(`${here}, build: make`), ["staging: build changes"]],
    ["no build any more", staging(`${here}, build: npm ci`), staging(here), ["staging: build is removed"]],
    [
      "gates",
      staging(`${here}, require_checks: none`),
      staging(`${here}, freeze: [{ days: [fri], from: "16:00", timezone: Europe/Berlin }]`),
      ["staging: require_checks none → all", "staging: freeze none → fri 16:00 to 24:00 Europe/Berlin"],
    ],
    [
      "the trigger and more",
      staging(`${here}, trigger: push, branch: main`),
      staging(`${here}, trigger: merge, timeout: 5m, url: "https://a.example.com", rollback: automatic`),
      [
        "staging: trigger push → merge",
        "staging: branch main → none",
        "staging: timeout 30m → 5m",
        "staging: url none → https://a.example.com",
        "staging: rollback none → automatic",
      ],
    ],
    [
      "a health check",
      staging(`${here}, health: { url: "https://a.example.com/" }`),
      staging(`${here}, health: { url: "https://a.example.com/", expect: ok }`),
      ["staging: health.expect none → ok"],
    ],
    [
      "an environment that is new",
      "environments: {}",
      staging(`${here}, trigger: merge, require_checks: none`),
      ["staging: is added, with trigger merge, target directory, path web, timeout 30m, require_checks none"],
    ],
    ["one that goes", staging(here), "environments: {}", ["staging: is removed"]],
    [
      "checks, for which deployments wait",
      "checks: { test: { run: a }, lint: { run: a } }",
      "checks: { test: { run: b }, e2e: { run: a } }",
      ["checks: lint is removed", "checks: e2e is added"],
    ],
    [
      "previews",
      staging("trigger: pull_request, target: directory, with: { path: '{{ environment }}' }"),
      staging("trigger: pull_request, target: directory, with: { path: '{{ environment }}' }, ttl: 7d, quota: 5"),
      ["staging: ttl none → 7d", "staging: quota 20 → 5"],
    ],
  ])("%s", (_what, base, head, sentences) => {
    expect(edit(base, head)).toEqual(sentences);
  });

  it("is nothing when only words, order or other checks' commands change", () => {
    expect(edit(ssh("host: a"), `# a comment\n${staging("with: { host: a, key: KEY, path: /srv/shop }, target: ssh")}`)).toEqual(
      [],
    );
  });

  it("shows nothing that hides or turns around what stands beside it", () => {
    const [sentence] = edit(ssh("host: a"), ssh('host: "b\\u202Etxt → deploy@a"'));
    expect(sentence).toBe('staging: host a → "b\\u{202e}txt → deploy@a"');
    expect(edit(ssh("host: a"), ssh(`host: ${"b".repeat(5_000)}`))[0]?.length).toBeLessThan(300);
  });

  it("has no sentence that spreads over lines or has hidden characters, whatever the values are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), fc.string({ unit: "binary", minLength: 1 }), (one, other) => {
        const plan = accepted(staging(here)).environments.staging;
        if (plan === undefined) throw new Error("there is no staging");
        const file = (text: string) => ({
          checks: {},
          environments: { staging: { ...plan, with: { [text]: text }, url: text, branch: text, paths: [text] } },
          automerge: null,
          notify: [],
        });
        for (const sentence of whatAnEditChanges(file(one), file(other))) expect(sentence).toMatch(/^[^\p{C}]*$/u);
      }),
    );
  });
});
