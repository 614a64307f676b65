import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { deploymentStatus } from "../../src/reporting/deployment-status.ts";
import type { DeploymentRun, Gate } from "../../src/runs/run.ts";
import { deploymentRun, ended, queued, running } from "../runs/plain-runs.ts";

const superseded = {
  kind: "cancelled",
  because: { kind: "superseded", by: "4be07d1f05f5ce03dbbb7bcf72e68ab3a567f7ca" },
} as const;
const live = { kind: "passed", live: { release: null, url: "https://staging.example.com" } } as const;

describe("the status of a deployment", () => {
  it.each<[string, Parameters<typeof deploymentRun>[0], string, string]>([
    ["is queued", queued, "queued", "Queued"],
    ["runs", running, "in_progress", "Running"],
    ["has passed", ended({ kind: "passed" } as const, 72), "success", "Passed in 1 min 12 s"],
    [
      "has failed",
      ended({ kind: "failed", what: "the build exited with 2" } as const, 40),
      "failure",
      "Failed: the build exited with 2 after 40 s",
    ],
    ["could not be done", ended({ kind: "errored", what: "no such target" } as const), "error", "Error: no such target"],
    [
      "was lost",
      ended({ kind: "lost" } as const),
      "error",
      "The server died during this deployment: look what is live, then deploy again",
    ],
    ["was superseded before it began", ended(superseded, null), "inactive", "Superseded by 4be07d1"],
    ["was cancelled while it ran", ended(superseded, 5), "error", "Superseded by 4be07d1"],
  ])("that %s", (_what, state, shown, description) => {
    expect(deploymentStatus(deploymentRun(state), true)).toEqual({ state: shown, description });
  });

  it.each<[Gate, string]>([
    [{ kind: "checks", notGreen: [] }, "Waiting for checks: the commit has none"],
    [
      {
        kind: "checks",
        notGreen: [
          { context: "lint", state: "failed" },
          { context: "test", state: "pending" },
          { context: "e2e", state: "missing" },
        ],
      },
      "Waiting for checks: lint failed, test is pending, e2e has not started",
    ],
    [{ kind: "previous", environment: "staging" }, "Waiting for staging: the commit is not live there yet"],
    [{ kind: "order" }, "Waiting for its place in the order of commits"],
    [{ kind: "approval", needed: 1, by: [] }, "Waiting for approval: /approve 4be07d1"],
    [{ kind: "approval", needed: 1, by: [], environment: "production" }, "Waiting for approval: /approve production 4be07d1"],
  ])("that waits names the gate: %j", (gate, description) => {
    expect(deploymentStatus(deploymentRun({ state: "waiting", gates: [gate] }), false)).toEqual({ state: "queued", description });
  });

  it("that waits at several gates names them all", () => {
    const gates = [{ kind: "previous", environment: "staging" }, { kind: "order" }] as const;
    expect(deploymentStatus(deploymentRun({ state: "waiting", gates }), false).description).toBe(
      "Waiting for staging: the commit is not live there yet, and for its place in the order of commits",
    );
  });

  it("that is live shows where", () => {
    expect(deploymentStatus(deploymentRun(ended(live)), true)).toMatchObject({
      state: "success",
      environment_url: "https://staging.example.com",
    });
  });

  it("that passed and was replaced is inactive, in production too, and shows no address", () => {
    for (const environment of ["staging", "production"]) {
      const shown = deploymentStatus(deploymentRun(ended(live), { environment }), false);
      expect(shown).toEqual({ state: "inactive", description: "Another commit is live now" });
    }
  });

  it("never says more than GitHub takes", () => {
    const words = fc.oneof(fc.string({ maxLength: 400 }), fc.string({ unit: "grapheme", maxLength: 400 }));
    const gate: fc.Arbitrary<Gate> = fc.oneof(
      fc
        .array(fc.record({ context: words, state: fc.constantFrom("missing", "pending", "failed") }), { maxLength: 20 })
        .map((notGreen) => ({ kind: "checks" as const, notGreen })),
      words.map((environment) => ({ kind: "previous" as const, environment })),
      fc.tuple(words, words).map(([by, reason]) => ({ kind: "lock" as const, by, reason, since: new Date(0) })),
      fc.array(words).map((by) => ({ kind: "approval" as const, needed: 3, by })),
    );
    const run: fc.Arbitrary<DeploymentRun> = fc.oneof(
      fc.tuple(gate, gate).map((gates) => deploymentRun({ state: "waiting", gates })),
      words.map((what) => deploymentRun(ended({ kind: "failed", what }))),
      fc.tuple(words, words).map(([what, fix]) => deploymentRun(ended({ kind: "errored", what, fix }))),
    );
    fc.assert(
      fc.property(run, (one) => {
        expect(Array.from(deploymentStatus(one, false).description).length).toBeLessThanOrEqual(140);
      }),
    );
  });
});
