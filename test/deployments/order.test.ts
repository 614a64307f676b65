import { describe, expect, it } from "@jest/globals";
import { type Lane, overtaken } from "../../src/deployments/order.ts";
import type { DeploymentRun } from "../../src/runs/run.ts";
import { numberOf, sha } from "./world.ts";

const isInHistoryOf = (ancestor: string, descendant: string) => numberOf(ancestor) <= numberOf(descendant);

/** A deployment of the commit with that number. */
function run(
  id: number,
  commit: number,
  more: { automatic?: boolean; state?: "waiting" | "queued" | "running" } = {},
): DeploymentRun {
  const { automatic = true, state = "waiting" } = more;
  const deployment = {
    id,
    cause: { kind: "receipt" as const, id: 1 },
    repository: 7,
    sha: sha(commit),
    tree: null,
    ref: "main",
    pullRequest: null,
    title: null,
    author: null,
    person: null,
    configuration: null,
    createdAt: new Date(0),
    version: 1,
    kind: "deployment" as const,
    task: "deploy" as const,
    environment: "staging",
    automatic,
    github: null,
    preview: null,
    judgedAgainst: null,
  };
  switch (state) {
    case "waiting":
      return { ...deployment, state, gates: [{ kind: "order" }] };
    case "queued":
      return { ...deployment, state, earlierAttempts: 0 };
    case "running":
      return { ...deployment, state, attempt: { number: 1, startedAt: new Date(0) }, stop: null, remembered: null };
  }
}

function superseded(lane: Partial<Lane>): Readonly<Record<number, number>> {
  const whole = { unfinished: [], standing: [], newest: null, approved: new Set<number>(), ...lane };
  return Object.fromEntries(overtaken(whole, isInHistoryOf).map(({ run: id, by }) => [id, numberOf(by)]));
}

describe("the order of deployments", () => {
  it.each<[title: string, lane: Partial<Lane>, expected: Readonly<Record<number, number>>]>([
    [
      "a newer commit supersedes those that wait",
      { unfinished: [run(1, 1), run(2, 2), run(3, 3, { state: "queued" })] },
      { 1: 2, 2: 3 },
    ],
    ["whichever was heard of first", { unfinished: [run(1, 3), run(2, 2)] }, { 2: 3 }],
    [
      "one that runs is left alone, and goes before older ones",
      { unfinished: [run(1, 2, { state: "running" }), run(2, 1)] },
      { 2: 2 },
    ],
    ["a newer one waits for the one that runs", { unfinished: [run(1, 1, { state: "running" }), run(2, 2)] }, {}],
    ["nothing automatic goes back behind what is live", { unfinished: [run(5, 2)], standing: [run(1, 3)] }, { 5: 3 }],
    ["what is live is not deployed again by itself", { unfinished: [run(5, 3)], standing: [run(1, 3)] }, { 5: 3 }],
    [
      "nor behind what may be live since it failed after the switch",
      { unfinished: [run(5, 2)], standing: [run(1, 1), run(2, 3)] },
      { 5: 3 },
    ],
    ["a person may go back on purpose", { unfinished: [run(5, 2, { automatic: false })], standing: [run(1, 3)] }, {}],
    ["and deploy once more what is live", { unfinished: [run(5, 3, { automatic: false })], standing: [run(1, 3)] }, {}],
    ["an older commit that a person asks for later is meant", { unfinished: [run(1, 3), run(2, 2, { automatic: false })] }, {}],
    [
      "a newer one supersedes what a person asked for earlier",
      { unfinished: [run(1, 2, { automatic: false }), run(2, 3)] },
      { 1: 3 },
    ],
    [
      "the same commit by merge and by hand is the person's",
      { unfinished: [run(1, 2), run(2, 2, { automatic: false })] },
      { 1: 2 },
    ],
    [
      "an approved one is never superseded by one that is not",
      { unfinished: [run(1, 1), run(2, 2)], approved: new Set([1]) },
      {},
    ],
    ["but by one that is", { unfinished: [run(1, 1), run(2, 2)], approved: new Set([1, 2]) }, { 1: 2 }],
    ["and by one that runs", { unfinished: [run(1, 1), run(2, 2, { state: "running" })], approved: new Set([1]) }, { 1: 2 }],
    [
      "an approved one does not go back behind what is live",
      { unfinished: [run(1, 1)], standing: [run(2, 2)], approved: new Set([1]) },
      { 1: 2 },
    ],
    [
      "one that arrives late means the newest that was here before",
      { unfinished: [run(5, 2)], standing: [run(1, 1)], newest: run(4, 3) },
      { 5: 3 },
    ],
    [
      "one that waited already when a newer one ended does not",
      { unfinished: [run(3, 2)], standing: [run(1, 1)], newest: run(4, 3) },
      {},
    ],
    [
      "one that arrives late and is approved is meant",
      { unfinished: [run(5, 2)], newest: run(4, 3), approved: new Set([5]) },
      {},
    ],
  ])("%s", (_title, lane, expected) => {
    expect(superseded(lane)).toEqual(expected);
  });

  it("leaves commits alone that are not in each other's history", () => {
    const lane: Lane = { unfinished: [run(1, 1), run(2, 2)], standing: [run(3, 3)], newest: run(4, 4), approved: new Set() };
    expect(overtaken(lane, (ancestor, descendant) => ancestor === descendant)).toEqual([]);
  });
});
