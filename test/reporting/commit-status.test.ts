import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { aggregateStatus, checkStatus, fileStatus } from "../../src/reporting/commit-status.ts";
import type { FileReading } from "../../src/runs/readings.ts";
import type { CheckRun } from "../../src/runs/run.ts";
import { checkRun, ended, queued, running, startedAt } from "../runs/plain-runs.ts";

const fine: FileReading = { kind: "fine" };
const superseded = {
  kind: "cancelled",
  because: { kind: "superseded", by: "4be07d1f05f5ce03dbbb7bcf72e68ab3a567f7ca" },
} as const;
const failed = { kind: "failed", what: "npm test exited with 1", exitCode: 1 } as const;
const approval = { kind: "approval", needed: 1, by: [] } as const;

describe("the commit status of a check", () => {
  it.each<[string, Parameters<typeof checkRun>[0], string, string]>([
    ["waits", { state: "waiting", gates: [approval] }, "pending", "Waiting for approval: /approve 4be07d1"],
    ["is queued", queued, "pending", "Queued"],
    ["is queued again", { state: "queued", earlierAttempts: 2 }, "pending", "Queued again, attempt 3"],
    ["runs", running, "pending", "Running"],
    [
      "is stopped",
      { ...running, stop: { kind: "closed", pullRequest: 3 } },
      "pending",
      "Stopping: Cancelled: pull request #3 was closed",
    ],
    ["has passed", ended({ kind: "passed" }, 72), "success", "Passed in 1 min 12 s"],
    [
      "had nothing to do",
      ended({ kind: "passed", note: "Skipped: no file matches" }, null),
      "success",
      "Skipped: no file matches",
    ],
    ["has failed", ended(failed, 40), "failure", "Failed: npm test exited with 1 after 40 s"],
    [
      "took too long",
      ended({ kind: "failed", what: "timed out after 30 min" }, 1_800),
      "failure",
      "Failed: timed out after 30 min after 30 min",
    ],
    [
      "could not be done",
      ended({ kind: "errored", what: "git is not installed", fix: "Install git" }),
      "error",
      "Error: git is not installed. Install git",
    ],
    ["was superseded", ended(superseded), "error", "Superseded by 4be07d1"],
    [
      "was closed",
      ended({ kind: "cancelled", because: { kind: "closed", pullRequest: 3 } }),
      "error",
      "Cancelled: pull request #3 was closed",
    ],
    ["was cancelled", ended({ kind: "cancelled", because: { kind: "by hand", by: "mira" } }), "error", "Cancelled by mira"],
    [
      "was cancelled with a reason",
      ended({ kind: "cancelled", because: { kind: "by hand", by: "mira", reason: "too slow" } }, null),
      "error",
      "Cancelled by mira: too slow",
    ],
  ])("that %s", (_what, state, shown, description) => {
    expect(checkStatus(checkRun(state))).toEqual({ state: shown, description });
  });

  it.each([
    [0, "0 s"],
    [0.4, "0 s"],
    [-5, "0 s"],
    [59.4, "59 s"],
    [59.6, "1 min"],
    [60, "1 min"],
    [3_599, "59 min 59 s"],
    [3_600, "1 h"],
    [7_500, "2 h 5 min"],
    [90_061, "25 h 1 min"],
  ])("says of %d seconds: Passed in %s", (seconds, words) => {
    expect(checkStatus(checkRun(ended({ kind: "passed" }, seconds))).description).toBe(`Passed in ${words}`);
  });

  const words = fc.oneof(
    fc.string({ maxLength: 400 }),
    fc.string({ unit: "grapheme", maxLength: 400 }),
    fc.constant("👩‍👩‍👧\n".repeat(100)),
  );
  const state = fc.oneof(
    words.map((what) => ended({ kind: "failed" as const, what }, 123_456)),
    fc.tuple(words, words).map(([what, fix]) => ended({ kind: "errored" as const, what, fix })),
    words.map((note) => ended({ kind: "passed" as const, note })),
    fc
      .tuple(words, words)
      .map(([by, reason]) => ended({ kind: "cancelled" as const, because: { kind: "by hand" as const, by, reason } })),
  );
  it("never says more than GitHub takes, in one line, and always how long a failure took", () => {
    fc.assert(
      fc.property(state, words, (now, name) => {
        const run = checkRun(now, { name });
        const aggregate = aggregateStatus([run, checkRun(queued, { name: `${name} 2` })], fine)?.description ?? "";
        for (const description of [checkStatus(run).description, aggregate]) {
          expect(Array.from(description).length).toBeLessThanOrEqual(140);
          expect(description).not.toMatch(/[\n\r]/);
        }
        if (run.state === "finished" && run.outcome.kind === "failed")
          expect(checkStatus(run).description).toMatch(/ after 34 h 17 min$/);
      }),
    );
  });
});

describe("the aggregate status of a commit", () => {
  const passed = (name: string, seconds = 40) => checkRun(ended({ kind: "passed" }, seconds), { name });
  it.each<[string, readonly CheckRun[], string, string]>([
    ["its only check has passed", [passed("test")], "success", "The only check passed in 40 s"],
    ["all have", [passed("a", 10), passed("b", 72)], "success", "All 2 checks passed in 1 min 12 s"],
    ["nothing had to run", [checkRun(ended({ kind: "passed", note: "Skipped" }, null))], "success", "The only check passed"],
    [
      "some have not ended",
      [passed("a"), checkRun(queued, { name: "b" }), checkRun(running, { name: "c" })],
      "pending",
      "1 of 3 done; waiting for b, c",
    ],
    [
      "one has failed and others go on",
      [checkRun(running, { name: "a" }), checkRun(ended(failed), { name: "b" })],
      "failure",
      "Failed: b",
    ],
    [
      "one ended without a result",
      [checkRun(running, { name: "a" }), checkRun(ended(superseded), { name: "b" })],
      "error",
      "Ended without a result: b",
    ],
    [
      "one has failed and another ended without a result",
      [checkRun(ended(superseded), { name: "a" }), checkRun(ended(failed), { name: "b" })],
      "failure",
      "Failed: b",
    ],
  ])("when %s", (_what, runs, state, description) => {
    expect(aggregateStatus(runs, fine)).toEqual({ state, description });
  });

  it("counts from the first start to the last end", () => {
    const late = { state: "finished", attempt: { number: 1, startedAt: new Date(startedAt.getTime() + 60_000) } } as const;
    const second = checkRun({ ...late, finishedAt: new Date(startedAt.getTime() + 70_000), outcome: { kind: "passed" } });
    expect(aggregateStatus([passed("a", 5), second], fine)?.description).toBe("All 2 checks passed in 1 min 10 s");
  });

  it("is not said of a commit without checks, so that it turns nothing green", () => {
    expect(aggregateStatus([], fine)).toBeNull();
  });

  it("is an error when the file has mistakes, whatever ran before", () => {
    const reading: FileReading = { kind: "mistakes", mistakes: [{ path: "checks", problem: "is missing" }] };
    expect(aggregateStatus([passed("a")], reading)?.state).toBe("error");
  });

  it("is green only when every check is, and red as soon as one is", () => {
    const outcomes: readonly Parameters<typeof checkRun>[0][] = [
      ended({ kind: "passed" }),
      ended(failed),
      ended(superseded),
      ended({ kind: "errored", what: "it" }),
      queued,
      running,
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...outcomes), { minLength: 1, maxLength: 6 }), (states) => {
        const runs = states.map((one, index) => checkRun(one, { id: index + 1, name: `check-${index}` }));
        const each = runs.map((run) => checkStatus(run).state);
        const all = aggregateStatus(runs, fine)?.state;
        expect(all === "success").toBe(each.every((one) => one === "success"));
        expect(all === "failure" || all === "error").toBe(each.some((one) => one === "failure" || one === "error"));
      }),
    );
  });
});

describe("the status of a commit's file", () => {
  const mistakes = (...problems: string[]): FileReading => ({
    kind: "mistakes",
    mistakes: problems.map((problem) => ({ path: "environments.staging.target", problem })),
  });

  it("says the first mistake and how many more there are", () => {
    const problem = `"shh" is not a target; did you mean "ssh"?`;
    expect(fileStatus(mistakes(problem), false)).toEqual({
      state: "error",
      description: `environments.staging.target: ${problem}`,
    });
    expect(fileStatus(mistakes("one", "two", "three"), false)?.description).toBe("environments.staging.target: one (and 2 more)");
  });

  it("never says more than GitHub takes", () => {
    expect(Array.from(fileStatus(mistakes("👩".repeat(300), "two"), false)?.description ?? "")).toHaveLength(140);
  });

  it("is taken back when the mistakes are gone, and else not said at all", () => {
    expect(fileStatus(fine, true)).toEqual({ state: "success", description: ".github/signalbox.yml is right" });
    expect(fileStatus(fine, false)).toBeNull();
  });
});
