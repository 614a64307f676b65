import { describe, expect, it } from "@jest/globals";
import { mayStartCheck, type SandboxKind } from "../../src/checks/trust.ts";
import { type Actor, type Answer, isMaintainer } from "../../src/deeds/actor.ts";
import { approveChecks } from "../../src/deeds/approve-checks.ts";
import { cancelRuns } from "../../src/deeds/cancel-runs.ts";
import type { PullRequestNow } from "../../src/deeds/pull-request.ts";
import { retryChecks } from "../../src/deeds/retry-checks.ts";
import type { Outcome } from "../../src/runs/run.ts";
import { holdOf, newCheck, openScene, repository, sha, taken } from "../runs/scene.ts";
import { engines } from "../support/engines.ts";

const mira: Actor = { login: "mira", id: 21, role: "write", door: "page" };
const head = sha("4be07d1");
const fork: PullRequestNow = { repository: repository.id, number: 12, headSha: head, fork: true, state: "open" };
const own: PullRequestNow = { ...fork, fork: false };
const waiting = { state: "waiting" as const, gates: [{ kind: "approval" as const, needed: 1, by: [] }] as const };

describe.each(engines())("on %s", (_name, storage) => {
  async function open() {
    const scene = await openScene(storage);
    const { database } = scene;
    return {
      ...scene,
      approve: (typed: string, more: { actor?: Actor; pullRequest?: PullRequestNow; sandbox?: SandboxKind } = {}) =>
        database.write((tx) =>
          approveChecks(tx, more.actor ?? mira, {
            pullRequest: more.pullRequest ?? fork,
            sha: typed,
            sandbox: more.sandbox ?? "bubblewrap",
          }),
        ),
      retry: (check: string | null, pullRequest = own, actor = mira) =>
        database.write((tx) => retryChecks(tx, actor, { pullRequest, check, sandbox: "bubblewrap" })),
      cancel: (pullRequest = own, actor = mira) =>
        database.write((tx) => cancelRuns(tx, actor, { pullRequest, reason: "enough" })),
      history: () => database.read((db) => db.selectFrom("history").selectAll().orderBy("id").execute()),
      forkCheck: () => scene.check({ sha: head, trust: "fork", start: waiting }),
    };
  }

  const why = (answer: Answer) => (answer.kind === "refused" ? answer.why : `done: ${answer.said}`);

  describe("an approval of a fork's checks", () => {
    it("queues the checks of that commit, and is written down with its person, door and role", async () => {
      const scene = await open();
      const id = await scene.forkCheck();
      const other = await scene.check({ sha: sha(2), trust: "fork", start: waiting });
      expect(await scene.approve(head.slice(0, 7).toUpperCase())).toEqual({
        kind: "done",
        said: `${head.slice(0, 7)} is approved; queued: test`,
      });
      expect((await scene.run(id)).state).toBe("queued");
      expect((await scene.run(other)).state).toBe("waiting");
      expect(await scene.history()).toMatchObject([
        { person: "mira", door: "page", deed: "approve checks", repository: repository.id, at: scene.now() },
      ]);
    });

    it("is safe to repeat: the second one changes nothing", async () => {
      const scene = await open();
      await scene.forkCheck();
      await scene.approve(head);
      expect(await scene.approve(head)).toMatchObject({ kind: "done" });
      expect(await scene.history()).toHaveLength(1);
    });

    it("holds for checks that are made later, as when the comment overtakes the push", async () => {
      const scene = await open();
      await scene.approve(head);
      const run = await scene.run(await scene.check({ sha: head, trust: "fork" }));
      if (run.kind !== "check") throw new Error("it is a check");
      const verdict = (sandbox: SandboxKind) => scene.database.write((tx) => mayStartCheck(tx, run, sandbox));
      expect(await verdict("bubblewrap")).toBe("may start");
      expect(await verdict("none")).toEqual([{ kind: "sandbox" }]);
    });

    it.each([
      ["read", "write permission"],
      ["none", "write permission"],
    ] as const)("is refused to who has %s", async (role, reason) => {
      const scene = await open();
      const id = await scene.forkCheck();
      expect(why(await scene.approve(head, { actor: { ...mira, role } }))).toContain(reason);
      expect((await scene.run(id)).state).toBe("waiting");
      expect(await scene.history()).toEqual([]);
    });

    it.each(["write", "maintain", "admin", "operator"] as const)("is taken from who has %s", async (role) => {
      const scene = await open();
      await scene.forkCheck();
      expect(await scene.approve(head, { actor: { ...mira, role } })).toMatchObject({ kind: "done" });
    });

    it.each([
      ["fewer than 7 digits", head.slice(0, 6), {}, "at least 7 digits"],
      ["no SHA", "latest!", {}, "is no SHA"],
      ["nothing", "", {}, "is no SHA"],
      ["another commit", sha("dead").replace(/0/g, "d"), {}, "now, not ddddddd"],
      ["a closed pull request", head, { pullRequest: { ...fork, state: "closed" as const } }, "reopen it first"],
      ["a pull request of the repository itself", head, { pullRequest: own }, "Only commits of forks"],
      ["a server without a sandbox", head, { sandbox: "none" as const }, "SANDBOX=none"],
    ])("is refused for %s", async (_what, typed, more, reason) => {
      const scene = await open();
      const id = await scene.forkCheck();
      expect(why(await scene.approve(typed, more))).toContain(reason);
      expect((await scene.run(id)).state).toBe("waiting");
      expect(await scene.history()).toEqual([]);
    });
  });

  describe("a retry", () => {
    it("queues what failed, errored or was cancelled, and leaves alone what passed and what is under way", async () => {
      const scene = await open();
      const end = (name: string, outcome: Outcome) => scene.check({ sha: head, name, start: { state: "finished", outcome } });
      const failed = await end("failed", { kind: "failed", what: "no" });
      const errored = await end("errored", { kind: "errored", what: "no" });
      const cancelled = await end("cancelled", { kind: "cancelled", because: { kind: "closed", pullRequest: 12 } });
      const passed = await end("passed", { kind: "passed" });
      const foreign = await scene.check({
        sha: head,
        name: "fork",
        trust: "fork",
        start: { state: "finished", outcome: { kind: "failed", what: "" } },
      });
      expect(await scene.retry(null)).toMatchObject({ said: expect.stringContaining("failed, errored, cancelled") });
      const states = await Promise.all(
        [failed, errored, cancelled, passed, foreign].map(async (id) => (await scene.run(id)).state),
      );
      expect(states).toEqual(["queued", "queued", "queued", "finished", "finished"]);
      expect(why(await scene.retry(null))).toContain("Nothing to run again");
      expect(await scene.history()).toHaveLength(1);
    });

    it("puts a fork's check that was never approved back behind its gate", async () => {
      const scene = await open();
      const id = await scene.forkCheck();
      await scene.cancel(fork);
      expect(await scene.retry(null, fork)).toMatchObject({ said: expect.stringContaining("/approve 0000000") });
      expect(await scene.run(id)).toMatchObject({ state: "waiting", gates: [{ kind: "approval" }] });
      await scene.approve(head);
      expect((await scene.run(id)).state).toBe("queued");
    });

    it("is refused without permission, and for a closed pull request", async () => {
      const scene = await open();
      await scene.check({ sha: head, start: { state: "finished", outcome: { kind: "failed", what: "no" } } });
      expect(why(await scene.retry(null, own, { ...mira, role: "read" }))).toContain("write permission");
      expect(why(await scene.retry(null, { ...own, state: "closed" }))).toContain("closed");
      expect(why(await scene.retry(null, { ...own, headSha: sha(9) }))).toContain("ever started");
      expect(await scene.history()).toEqual([]);
    });
  });

  describe("a cancellation", () => {
    it("ends what waits and asks what runs to stop, which keeps its lane until its work has stopped", async () => {
      const scene = await open();
      const running = await scene.deployment();
      const claimed = taken(await scene.claim());
      const check = await scene.check({ sha: head });
      const elsewhere = await scene.check({ ...newCheck(), sha: sha(3), pullRequest: 13 });
      expect(await scene.cancel()).toEqual({ kind: "done", said: "Cancelled: deploy of staging, test" });
      expect(await scene.run(running)).toMatchObject({
        state: "running",
        stop: { kind: "by hand", by: "mira", reason: "enough" },
      });
      expect(await scene.run(check)).toMatchObject({ state: "finished", outcome: { kind: "cancelled" } });
      expect((await scene.run(elsewhere)).state).toBe("queued");
      expect(why(await scene.cancel(own, { ...mira, login: "jonas" }))).toContain("Nothing of this pull request");
      expect(await scene.run(running)).toMatchObject({ stop: { by: "mira" } });
      expect(await scene.history()).toMatchObject([{ deed: "cancel", reason: "enough" }]);
      await scene.finish(holdOf(claimed), { kind: "cancelled", because: { kind: "by hand", by: "mira" } });
    });

    it("is refused without permission", async () => {
      const scene = await open();
      const id = await scene.check({ sha: head });
      expect(why(await scene.cancel(own, { ...mira, role: "read" }))).toContain("write permission");
      expect((await scene.run(id)).state).toBe("queued");
    });
  });
});

describe("a maintainer", () => {
  it.each([
    ["none", false],
    ["read", false],
    ["write", false],
    ["maintain", true],
    ["admin", true],
    ["operator", true],
  ] as const)("is who has the role: %s %s", (role, expected) => {
    expect(isMaintainer({ ...mira, role })).toBe(expected);
  });
});
