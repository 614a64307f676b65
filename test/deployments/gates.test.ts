import { describe, expect, it } from "@jest/globals";
import type { DeploymentConfiguration } from "../../src/deployments/configuration.ts";
import { type Facts, isApproved, shutGates } from "../../src/deployments/gates.ts";
import { rulesOf } from "../../src/deployments/rules.ts";
import { whatOpens } from "../../src/deployments/why.ts";
import type { CheckRun, Outcome } from "../../src/runs/run.ts";
import { gateInWords } from "../../src/runs/sentences.ts";
import { fileOf, sha } from "./world.ts";

const merge = sha(0x4be07d1c);
const head = sha(0x99);

/** A configuration by an environment of a file with the checks `test` and `lint`. */
function by(environment: string, more: Partial<DeploymentConfiguration> = {}): DeploymentConfiguration {
  const file = fileOf(`
checks: { test: { run: a }, lint: { run: a } }
environments:
  staging: { target: command, with: { run: a } }
  production: { target: command, with: { run: a }, ${environment} }
`);
  const plan = file.environments.production;
  const rules = rulesOf(file, "production");
  if (plan === undefined || rules === null) throw new Error("the file has no production");
  return {
    plan,
    rules,
    checks: ["test", "lint"],
    head: null,
    headHasSameTree: false,
    asked: [],
    override: null,
    rollback: null,
    unwanted: [],
    teardown: null,
    ...more,
  };
}

function facts(more: Partial<Facts> = {}): Facts {
  return {
    now: new Date("2026-11-27T16:00:00Z"),
    sha: merge,
    environment: "production",
    checks: [check("test"), check("lint")],
    contexts: [],
    passedPrevious: false,
    lock: null,
    approvedBy: [],
    involved: ["octocat", "mira"],
    ...more,
  };
}

const passed: Outcome = { kind: "passed" };
const failed: Outcome = { kind: "failed", what: "npm test" };

/** A finished check; `null` for one that is queued. */
function check(name: string, outcome: Outcome | null = passed, more: Partial<Pick<CheckRun, "sha" | "trust">> = {}): CheckRun {
  const birth = {
    id: 1,
    cause: { kind: "receipt" as const, id: 1 },
    repository: 7,
    sha: merge,
    tree: null,
    ref: null,
    pullRequest: null,
    title: null,
    author: null,
    person: null,
    configuration: null,
    createdAt: new Date(0),
    version: 1,
    kind: "check" as const,
    name,
    trust: "own" as const,
    ...more,
  };
  if (outcome === null) return { ...birth, state: "queued", earlierAttempts: 0 };
  return { ...birth, state: "finished", attempt: null, finishedAt: new Date(1), outcome };
}

/** What people read: "Waiting for …". */
function sentences(configuration: DeploymentConfiguration, about: Facts): readonly string[] {
  return shutGates(configuration, about).map((gate) => gateInWords(gate, merge));
}

const none = "require_checks: none";

describe("the gates of a deployment", () => {
  it.each<[title: string, environment: string, facts: Partial<Facts>, sentences: readonly string[]]>([
    ["nothing, when all is well", "", {}, []],
    [
      "a lock, with who, since when and why",
      none,
      { lock: { by: "mira", since: new Date("2026-11-27T14:05:00Z"), reason: "the sale" } },
      ["the lock of mira since Fri 27 Nov 14:05 (UTC): the sale"],
    ],
    [
      "a freeze, with its end and its reason",
      `${none}, freeze: [{ days: [fri], from: "16:00", to: "23:59", timezone: Europe/Berlin, reason: No Friday deploys }]`,
      {},
      ["the end of the freeze until Sat 28 Nov 00:00 (Europe/Berlin): No Friday deploys"],
    ],
    ["no freeze that is over", `${none}, freeze: [{ from: "14:00", to: "16:00" }]`, {}, []],
    ["the previous environment", `${none}, after: staging`, {}, ["staging: the commit is not live there yet"]],
    ["not for the previous one that has it", `${none}, after: staging`, { passedPrevious: true }, []],
    [
      "each check of the file that is not green",
      "",
      { checks: [check("lint", null)] },
      ["checks: test has not started, lint is pending"],
    ],
    ["a check that failed", "", { checks: [check("test", failed), check("lint")] }, ["checks: test failed"]],
    [
      "a commit's own check, whatever was found about the same tree",
      "",
      { checks: [check("test", failed), check("test", passed, { sha: head }), check("lint")] },
      ["checks: test failed"],
    ],
    [
      "no check that passed with the same tree",
      "",
      { checks: [check("test", passed, { sha: head }), check("lint", passed, { sha: head })] },
      [],
    ],
    [
      "a check that only a fork's run passed",
      "require_checks: [test]",
      { checks: [check("test", passed, { trust: "fork" })] },
      ["checks: test has not started"],
    ],
    ["only the checks that are named", "require_checks: [test]", { checks: [check("test"), check("lint", failed)] }, []],
    [
      "others, of whom nothing was heard",
      'require_checks: [test, "codecov/patch"]',
      {},
      ["checks: codecov/patch has not started"],
    ],
    [
      "others that failed",
      'require_checks: ["codecov/patch"]',
      { contexts: [{ sha: merge, context: "codecov/patch", state: "failed" }] },
      ["checks: codecov/patch failed"],
    ],
    [
      "not for others that passed, in whatever letters",
      'require_checks: ["Codecov/Patch"]',
      { contexts: [{ sha: merge, context: "codecov/patch", state: "passed" }] },
      [],
    ],
    [
      "what others say of the commit, more than of the head with its tree",
      'require_checks: ["codecov/patch"]',
      {
        contexts: [
          { sha: head, context: "codecov/patch", state: "passed" },
          { sha: merge, context: "codecov/patch", state: "pending" },
        ],
      },
      ["checks: codecov/patch is pending"],
    ],
    [
      "not for what others say of the head with its tree",
      'require_checks: ["codecov/patch"]',
      { contexts: [{ sha: head, context: "codecov/patch", state: "passed" }] },
      [],
    ],
    ["an approval, with the command", `${none}, approvals: {}`, {}, ["approval: /approve production 4be07d1"]],
    [
      "those who may approve",
      `${none}, approvals: { users: [jonas], teams: [release] }`,
      {},
      ["approval by jonas or team release: /approve production 4be07d1"],
    ],
    [
      "not the yes of who wrote or merged it",
      `${none}, approvals: {}`,
      { approvedBy: ["OctoCat", "mira"] },
      ["approval: /approve production 4be07d1"],
    ],
    [
      "as many as are asked for, each person once",
      `${none}, approvals: { count: 2 }`,
      { approvedBy: ["jonas", "Jonas"] },
      ["approval: /approve production 4be07d1"],
    ],
    ["not for enough of them", `${none}, approvals: { count: 2 }`, { approvedBy: ["jonas", "ada"] }, []],
    [
      "not the yes of somebody whom the rules do not name any more",
      `${none}, approvals: { users: [jonas] }`,
      { approvedBy: ["ada"] },
      ["approval by jonas: /approve production 4be07d1"],
    ],
    [
      "not the yes of a member who was in a team",
      `${none}, approvals: { users: [jonas], teams: [release] }`,
      { approvedBy: ["ada"] },
      [],
    ],
  ])("wait for %s", (_title, environment, about, expected) => {
    expect(sentences(by(environment), facts(about))).toEqual(expected);
  });

  it("wait for everything at once, the lock first", () => {
    const everything = by("after: staging, approvals: {}, freeze: [{ days: [fri] }], require_checks: [test]");
    const gates = shutGates(everything, facts({ checks: [], lock: { by: "mira", since: new Date(0), reason: "x" } }));
    expect(gates.map(({ kind }) => kind)).toEqual(["lock", "previous", "freeze", "checks", "approval"]);
  });

  it("wait for a check where the commit's file has none", () => {
    expect(sentences(by("", { checks: [] }), facts())).toEqual(["checks: the commit has none"]);
  });

  it("let a broken glass through freeze, checks and approval, but not through a lock, and not before the previous environment", () => {
    const override = { by: "mira", reason: "the shop is down" };
    const broken = by("after: staging, approvals: {}, freeze: [{ days: [fri] }], require_checks: [test]", { override });
    const about = facts({ checks: [], lock: { by: "mira", since: new Date(0), reason: "x" } });
    expect(shutGates(broken, about).map(({ kind }) => kind)).toEqual(["lock", "previous"]);
    expect(shutGates(broken, facts({ checks: [], passedPrevious: true }))).toEqual([]);
    expect(isApproved(broken, about)).toBe(true);
  });

  it.each([
    ["", [], false],
    ["approvals: {}", [], false],
    ["approvals: {}", ["jonas"], true],
  ])("count a commit as approved only where people had to say yes: %s, %j", (environment, approvedBy, approved) => {
    expect(isApproved(by(environment), facts({ approvedBy }))).toBe(approved);
  });

  it("say what opens them", () => {
    const everything = by("after: staging, approvals: { count: 2 }, freeze: [{ days: [fri] }], require_checks: [test]");
    const gates = shutGates(
      everything,
      facts({ checks: [check("test", failed)], lock: { by: "mira", since: new Date(0), reason: "x" } }),
    );
    expect(gates.map((gate) => whatOpens(gate, { environment: "production", sha: merge }))).toEqual([
      "Unlock it when its reason is over: /unlock production",
      "It goes on when 4be07d1 has been deployed to staging with success",
      'It opens by itself; a maintainer who cannot wait breaks the glass: /deploy production --override "reason"',
      "Run again what failed (test), or merge a commit that is green",
      "2 more of somebody with write permission, but not of who wrote, pushed, merged or asked: /approve production 4be07d1",
    ]);
  });
});
