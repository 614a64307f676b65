import { describe, expect, it } from "@jest/globals";
import type { DeploymentConfiguration } from "../../src/deployments/configuration.ts";
import { type Facts, isApproved, shutGates } from "../../src/deployments/gates.ts";
import { checkRun, ended, queued, running } from "../runs/plain-runs.ts";

type Configuration = Pick<DeploymentConfiguration, "checks" | "rules" | "override">;
type Rules = Configuration["rules"];

const [sha, head] = ["a".repeat(40), "b".repeat(40)];
const open: Rules = { requireChecks: { kind: "none" }, after: null, approvals: null, freeze: [], rollback: "manual" };
const now = new Date("2026-11-20T17:00:00Z"); // a Friday
const facts: Facts = {
  now,
  sha,
  environment: "production",
  checks: [],
  contexts: [],
  passedPrevious: false,
  lock: null,
  approvedBy: [],
  involved: [],
};
const gates = (rules: Partial<Rules>, more: Partial<Facts> = {}, checks: readonly string[] = ["test"]) =>
  shutGates({ checks, rules: { ...open, ...rules }, override: null }, { ...facts, ...more });

const passed = ended({ kind: "passed" } as const);
const failed = ended({ kind: "failed", what: "it" } as const);
const check = (state: Parameters<typeof checkRun>[0], about: Parameters<typeof checkRun>[1] = {}) =>
  checkRun(state, { sha, ...about });

describe("the gate of the checks", () => {
  const all = { requireChecks: { kind: "all" } } as const;

  it.each<[string, Facts["checks"], string | null]>([
    ["has not been made", [], "missing"],
    ["waits", [check({ state: "waiting", gates: [{ kind: "approval", needed: 1, by: [] }] })], "pending"],
    ["is queued", [check(queued)], "pending"],
    ["runs", [check(running)], "pending"],
    ["has passed", [check(passed)], null],
    ["has failed", [check(failed)], "failed"],
    ["ended without a result", [check(ended({ kind: "errored", what: "it" }))], "failed"],
    ["was cancelled", [check(ended({ kind: "cancelled", because: { kind: "closed", pullRequest: 3 } }))], "failed"],
    ["has passed, of a fork only", [check(passed, { trust: "fork" })], "missing"],
    ["has passed on another commit with the same tree", [check(passed, { sha: head })], null],
    ["runs on another commit with the same tree", [check(running, { sha: head })], "pending"],
    ["has failed on another commit with the same tree", [check(failed, { sha: head })], "failed"],
    ["has failed here and passed on the same tree", [check(passed, { sha: head }), check(failed)], "failed"],
    ["runs here and passed on the same tree", [check(passed, { sha: head }), check(running)], "pending"],
    ["has passed here and failed on the same tree", [check(failed, { sha: head }), check(passed)], null],
    [
      "has failed on one and passed on another of the same tree",
      [check(failed, { sha: head }), check(passed, { sha: "c" })],
      null,
    ],
    ["has another name", [check(passed, { name: "tests" })], "missing"],
  ])("when the check %s", (_what, checks, state) => {
    expect(gates(all, { checks })).toEqual(state === null ? [] : [{ kind: "checks", notGreen: [{ context: "test", state }] }]);
  });

  it("names every check that is not green, and no other", () => {
    const checks = [check(passed, { name: "lint" }), check(failed, { name: "test" })];
    expect(gates(all, { checks }, ["lint", "test", "e2e"])).toEqual([
      {
        kind: "checks",
        notGreen: [
          { context: "test", state: "failed" },
          { context: "e2e", state: "missing" },
        ],
      },
    ]);
  });

  it("is shut for a commit without checks, unless none are required", () => {
    expect(gates(all, {}, [])).toEqual([{ kind: "checks", notGreen: [] }]);
    expect(gates({ requireChecks: { kind: "none" } }, {}, [])).toEqual([]);
  });

  it("looks only at those that are named, also at one that the commit's file does not have", () => {
    const these = { requireChecks: { kind: "these", names: ["test", "gone"], contexts: [] } } as const;
    expect(gates(these, { checks: [check(passed)] }, ["test", "lint"])).toEqual([
      { kind: "checks", notGreen: [{ context: "gone", state: "missing" }] },
    ]);
  });

  it.each<[string, Facts["contexts"], string | null]>([
    ["nothing", [], "missing"],
    ["success", [{ sha, context: "codecov/patch", state: "passed" }], null],
    ["success in other letters", [{ sha, context: "CodeCov/Patch", state: "passed" }], null],
    ["pending", [{ sha, context: "codecov/patch", state: "pending" }], "pending"],
    ["success on the merged head", [{ sha: head, context: "codecov/patch", state: "passed" }], null],
    [
      "success on the merged head and failure here",
      [
        { sha: head, context: "codecov/patch", state: "passed" },
        { sha, context: "codecov/patch", state: "failed" },
      ],
      "failed",
    ],
    ["success in another context", [{ sha, context: "codecov/project", state: "passed" }], "missing"],
  ])("hears what others say: %s", (_what, contexts, state) => {
    const these = { requireChecks: { kind: "these", names: [], contexts: ["codecov/patch"] } } as const;
    expect(gates(these, { contexts })).toEqual(
      state === null ? [] : [{ kind: "checks", notGreen: [{ context: "codecov/patch", state }] }],
    );
  });

  it("takes nobody's word for a check of ours", () => {
    const contexts = [
      { sha, context: "test", state: "passed" } as const,
      { sha, context: "signalbox/test", state: "passed" } as const,
    ];
    expect(gates(all, { contexts })).toEqual([{ kind: "checks", notGreen: [{ context: "test", state: "missing" }] }]);
  });
});

describe("the other gates", () => {
  const lock = { by: "mira", reason: "on call", since: now };
  const freeze = [{ days: ["fri" as const], from: 16 * 60, to: 24 * 60 - 1, timezone: "UTC", reason: "No Friday deploys" }];
  const approvals = { count: 1, users: [], teams: [] };

  it("are open when nothing is asked for", () => {
    expect(gates({})).toEqual([]);
  });

  it("wait for the environment before", () => {
    expect(gates({ after: "staging" })).toEqual([{ kind: "previous", environment: "staging" }]);
    expect(gates({ after: "staging" }, { passedPrevious: true })).toEqual([]);
  });

  it("hold what is locked, and what is frozen at that moment", () => {
    expect(gates({}, { lock })).toEqual([{ kind: "lock", ...lock }]);
    expect(gates({ freeze })).toMatchObject([{ kind: "freeze", timezone: "UTC", reason: "No Friday deploys" }]);
    expect(gates({ freeze }, { now: new Date("2026-11-20T15:59:00Z") })).toEqual([]);
    expect(gates({ freeze }, { now: new Date("2026-11-21T17:00:00Z") })).toEqual([]);
  });

  it.each<[string, Partial<typeof approvals> & { users?: string[]; teams?: string[] }, string[], string[], number]>([
    ["nobody's yes", {}, [], [], 1],
    ["a yes", {}, ["mira"], [], 0],
    ["the author's yes", {}, ["mira"], ["mira"], 1],
    ["the author's yes, in other letters", {}, ["Mira"], ["miRA"], 1],
    ["one of two", { count: 2 }, ["mira"], [], 1],
    ["the same twice", { count: 2 }, ["mira", "MIRA"], [], 1],
    ["two of two", { count: 2 }, ["mira", "jonas"], [], 0],
    ["a yes of somebody who is not named", { users: ["octocat"] }, ["mira"], [], 1],
    ["a yes of somebody who is named", { users: ["Octocat"] }, ["octocat"], [], 0],
    ["a named author's yes", { users: ["octocat"] }, ["octocat"], ["octocat"], 1],
  ])("count %s", (_what, asked, approvedBy, involved, needed) => {
    const rules = { ...open, approvals: { ...approvals, ...asked } };
    const by = asked.users ?? [];
    expect(shutGates({ checks: [], rules, override: null }, { ...facts, approvedBy, involved })).toEqual(
      needed === 0 ? [] : [{ kind: "approval", needed, by, environment: "production" }],
    );
    expect(isApproved({ rules, override: null }, { ...facts, approvedBy, involved })).toBe(needed === 0);
  });

  it("call approved only what people were asked about", () => {
    expect(isApproved({ rules: open, override: null }, { ...facts, approvedBy: ["mira"] })).toBe(false);
  });

  it("are named all, in one order", () => {
    const rules = { requireChecks: { kind: "all" }, after: "staging", approvals, freeze } as const;
    expect(gates(rules, { lock }).map(({ kind }) => kind)).toEqual(["lock", "previous", "freeze", "checks", "approval"]);
  });

  it("are passed by an override, but for the lock and the environment before", () => {
    const rules = { ...open, requireChecks: { kind: "all" }, after: "staging", approvals, freeze } as const;
    const passing: Configuration = { checks: ["test"], rules, override: { by: "mira", reason: "on fire" } };
    expect(shutGates(passing, { ...facts, lock }).map(({ kind }) => kind)).toEqual(["lock", "previous"]);
    expect(isApproved(passing, facts)).toBe(true);
  });
});
