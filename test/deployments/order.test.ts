import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type IsInHistoryOf, type Lane, overtaken } from "../../src/deployments/order.ts";
import type { DeploymentRun } from "../../src/runs/run.ts";
import { deploymentRun, ended, queued, running } from "../runs/plain-runs.ts";

/** A line of commits a, b, c …: each is in the history of those after it; `x` stands beside the line. */
const line: IsInHistoryOf = (ancestor, descendant) =>
  ancestor === descendant || (ancestor !== "x" && descendant !== "x" && ancestor < descendant);

const waiting = { state: "waiting", gates: [{ kind: "order" }] } as const;
const automatic = (id: number, sha: string, state: Parameters<typeof deploymentRun>[0] = waiting) =>
  deploymentRun(state, { id, sha });
const asked = (id: number, sha: string, state: Parameters<typeof deploymentRun>[0] = waiting) =>
  deploymentRun(state, { id, sha, automatic: false });
const live = (sha: string, id = 90) => automatic(id, sha, ended({ kind: "passed" } as const));

const decide = (unfinished: readonly DeploymentRun[], more: Partial<Lane> = {}) =>
  overtaken({ unfinished, standing: [], newest: null, approved: new Set(), ...more }, line).map(
    ({ run, by }) => `${run} by ${by}`,
  );

describe("the order of an environment's deployments", () => {
  it.each<[string, readonly DeploymentRun[], readonly DeploymentRun[], readonly string[]]>([
    ["leaves a single one alone", [automatic(1, "b")], [], []],
    ["lets a newer commit go on", [automatic(1, "b")], [live("a")], []],
    ["never goes back behind what is live by itself", [automatic(1, "a")], [live("b")], ["1 by b"]],
    ["does not deploy what is live again by itself", [automatic(1, "b")], [live("b")], ["1 by b"]],
    ["goes back when a person asks for it", [asked(1, "a")], [live("b")], []],
    ["deploys what is live again when a person asks for it", [asked(1, "b")], [live("b")], []],
    ["goes aside when a branch was forced elsewhere", [automatic(1, "x")], [live("b")], []],
    ["supersedes those that wait by the newer commit", [automatic(1, "a"), automatic(2, "b", queued)], [], ["1 by b"]],
    ["supersedes those that are queued", [automatic(1, "a", queued), automatic(2, "b")], [], ["1 by b"]],
    ["follows the commits, not their arrival", [automatic(1, "b"), automatic(2, "a")], [], ["2 by b"]],
    ["never supersedes the one that runs", [automatic(1, "a", running), automatic(2, "b")], [], []],
    ["counts the one that runs", [automatic(1, "b", running), automatic(2, "a")], [], ["2 by b"]],
    ["keeps what stands beside the line", [automatic(1, "x"), automatic(2, "b")], [], []],
    ["keeps the older commit that a person asks for later", [automatic(1, "b"), asked(2, "a")], [], []],
    ["supersedes what a person asked for by what came later and is newer", [asked(1, "a"), automatic(2, "b")], [], ["1 by b"]],
    ["keeps of two equals what a person asked for", [automatic(1, "a"), asked(2, "a")], [], ["1 by a"]],
    ["keeps of two equals the first", [automatic(1, "a"), automatic(2, "a")], [], ["2 by a"]],
  ])("%s", (_what, unfinished, standing, superseded) => {
    expect(decide(unfinished, { standing })).toEqual(superseded);
  });

  it("leaves rollbacks and teardowns alone, and they supersede nothing", () => {
    const rollback = deploymentRun(waiting, { id: 2, sha: "b", task: "rollback", automatic: false });
    const teardown = deploymentRun(waiting, { id: 3, sha: "c", task: "teardown" });
    expect(decide([automatic(1, "a"), rollback, teardown])).toEqual([]);
    expect(decide([rollback, teardown], { standing: [live("d")] })).toEqual([]);
  });

  it("never supersedes an approved one by one that is not, unless that runs already", () => {
    const both = [automatic(1, "a"), automatic(2, "b")];
    expect(decide(both, { approved: new Set([1]) })).toEqual([]);
    expect(decide(both, { approved: new Set([1, 2]) })).toEqual(["1 by b"]);
    expect(decide(both, { approved: new Set([2]) })).toEqual(["1 by b"]);
    expect(decide([automatic(1, "a"), automatic(2, "b", running)], { approved: new Set([1]) })).toEqual(["1 by b"]);
  });

  it("takes one that arrives late for the newest that was here before it, however that ended", () => {
    const newest = automatic(1, "b", ended({ kind: "failed", what: "it" } as const));
    expect(decide([automatic(2, "a")], { newest })).toEqual(["2 by b"]);
    expect(decide([automatic(2, "c")], { newest })).toEqual([]);
    expect(decide([asked(2, "a")], { newest })).toEqual([]);
  });

  it("always leaves somebody who goes on, and supersedes only what waits, by a newer commit that is there or comes", () => {
    const states = [waiting, queued, running];
    const run = fc.tuple(fc.constantFrom("a", "b", "c", "d", "x"), fc.boolean(), fc.constantFrom(...states));
    fc.assert(
      fc.property(
        fc.array(run, { minLength: 1, maxLength: 7 }),
        fc.option(fc.constantFrom("a", "b", "c", "x")),
        (some, there) => {
          const unfinished = some.map(([sha, byItself, state], index) =>
            deploymentRun(state, { id: index + 1, sha, automatic: byItself }),
          );
          const standing = there === null ? [] : [live(there)];
          const lane = { unfinished, standing, newest: null, approved: new Set<number>() };
          const superseded = overtaken(lane, line);
          const gone = new Map(superseded.map(({ run: id, by }) => [id, by]));
          if (standing.length === 0) expect(gone.size).toBeLessThan(unfinished.length);
          for (const [id, by] of gone) {
            const one = unfinished.find((other) => other.id === id);
            expect(one?.state).not.toBe("running");
            expect(line(one?.sha ?? "", by)).toBe(true);
            expect([...unfinished, ...standing].some((other) => other.sha === by)).toBe(true);
          }
        },
      ),
    );
  });
});
