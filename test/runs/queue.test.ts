import { describe, expect, it } from "@jest/globals";
import { sql } from "kysely";
import { isUniqueViolation, type Transaction } from "../../src/database/connection.ts";
import { createCheck, createDeploymentRun } from "../../src/runs/births.ts";
import {
  beat,
  cancel,
  claim,
  enqueue,
  finish,
  keepWaiting,
  lease,
  putBack,
  reap,
  remember,
  retry,
} from "../../src/runs/queue.ts";
import { attemptsOf, liveRun } from "../../src/runs/read.ts";
import { reconsidered, toReconsider, wantReconsidering } from "../../src/runs/reconsidering.ts";
import type { Cancellation } from "../../src/runs/run.ts";
import { engines } from "../support/engines.ts";
import { until } from "../support/until.ts";
import { holdOf, mayAlwaysStart, newCheck, newDeployment, openScene, repository, sha, taken } from "./scene.ts";

const closed: Cancellation = { kind: "closed", pullRequest: 12 };
const byHand: Cancellation = { kind: "by hand", by: "octocat" };

describe.each(engines())("the queue on %s", (_name, storage) => {
  describe("a claim", () => {
    it("takes the oldest queued run and starts its first attempt", async () => {
      const { check, claim, run, now, database } = await openScene(storage);
      const [older, newer] = [await check({ name: "lint" }), await check({ name: "test" })];
      expect((await claim())?.id).toBe(older);
      expect((await claim())?.id).toBe(newer);
      expect(await claim()).toBeNull();
      expect(await run(older)).toMatchObject({
        state: "running",
        attempt: { number: 1, startedAt: new Date(now()) },
        stop: null,
        remembered: null,
      });
      expect(await database.read((db) => attemptsOf(db, older))).toEqual([
        { number: 1, startedAt: new Date(now()), finishedAt: null, outcome: null, firstError: null },
      ]);
    });

    it("leaves a lane alone while a run holds it, and goes on with the others", async () => {
      const { check, deployment, claim, finish } = await openScene(storage);
      const first = await deployment({ sha: sha(1) });
      const second = await deployment({ sha: sha(2) });
      const other = await deployment({ sha: sha(2), environment: "production" });
      const test = await check();
      const held = taken(await claim());
      expect(held.id).toBe(first);
      expect([(await claim())?.id, (await claim())?.id]).toEqual([other, test]);
      expect(await claim()).toBeNull();
      await finish(holdOf(held));
      expect((await claim())?.id).toBe(second);
    });

    it("keeps the order within a lane when the head of it must wait for its time", async () => {
      const { deployment, claim, database, now, pass } = await openScene(storage);
      const [first, second] = [await deployment({ sha: sha(1) }), await deployment({ sha: sha(2) })];
      await database.write((tx) =>
        tx.db
          .updateTable("run")
          .set({ not_before: now() + 10 })
          .where("id", "=", first)
          .execute(),
      );
      expect(await claim()).toBeNull();
      pass(10);
      expect((await claim())?.id).toBe(first);
      expect(second).toBeGreaterThan(first);
    });

    it("waits until a run's time has come", async () => {
      const { check, claim, database, now, pass } = await openScene(storage);
      const id = await check();
      await database.write((tx) =>
        tx.db
          .updateTable("run")
          .set({ not_before: now() + 1_000 })
          .where("id", "=", id)
          .execute(),
      );
      pass(999);
      expect(await claim()).toBeNull();
      pass(1);
      expect((await claim())?.id).toBe(id);
    });

    it("is made by 20 workers at once, and each run is taken once", async () => {
      const place = await storage.place();
      const databases = await Promise.all(Array.from({ length: 2 }, () => storage.openAt(place)));
      const [database] = databases;
      if (database === undefined) return;
      const ids: (number | null)[] = [];
      for (let n = 0; n < 30; n += 1) {
        ids.push(await database.write((tx) => createCheck(tx, newCheck({ name: `check-${n}` }))));
      }
      const takenBy = async (worker: number) => {
        const mine: number[] = [];
        for (;;) {
          const run = await claim(databases[worker % 2] ?? database, `worker-${worker}`, mayAlwaysStart);
          if (run === null) return mine;
          mine.push(run.id);
        }
      };
      // Who finds a row locked skips it, so a claim may come back with nothing while another one is under way; the last one takes the rest.
      const all = (await Promise.all(Array.from({ length: 20 }, (_, worker) => takenBy(worker)))).flat();
      expect(all.toSorted((a, b) => a - b)).toEqual(ids);
    });

    it("is made by 20 workers at once, and one lane is given to one of them", async () => {
      const { deployment, check, database, finish } = await openScene(storage);
      const queued = [await deployment({ sha: sha(1) }), await deployment({ sha: sha(2) }), await deployment({ sha: sha(3) })];
      const free = await check();
      const order: number[] = [];
      for (const next of queued) {
        const claims = await Promise.all(Array.from({ length: 20 }, (_, n) => claim(database, `worker-${n}`, mayAlwaysStart)));
        const got = claims.flatMap((run, n) => (run === null ? [] : [{ run, owner: `worker-${n}` }]));
        const deployed = got.filter(({ run }) => run.kind === "deployment");
        expect(deployed.map(({ run }) => run.id)).toEqual([next]);
        for (const { run, owner } of got) {
          order.push(run.id);
          await finish(holdOf(run, owner));
        }
      }
      expect(order.toSorted((a, b) => a - b)).toEqual([...queued, free].toSorted((a, b) => a - b));
    });

    it("is refused by a gate: the run waits again, says why, and is thought through anew", async () => {
      const { deployment, check, claim, run, reconsiderWanted } = await openScene(storage);
      const id = await deployment();
      const test = await check();
      const before = await reconsiderWanted();
      const claimed = await claim("worker", async (_tx, candidate) =>
        candidate.kind === "deployment" ? [{ kind: "previous", environment: "staging" }] : "may start",
      );
      expect(claimed?.id).toBe(test);
      expect(await run(id)).toMatchObject({ state: "waiting", gates: [{ kind: "previous", environment: "staging" }] });
      expect(await reconsiderWanted()).toBe(before + 1);
    });

    it("that fails in its gate leaves the run in the queue", async () => {
      const { check, claim, run } = await openScene(storage);
      const id = await check();
      const failing = claim("worker", async () => {
        throw new Error("a bug in a gate");
      });
      await expect(failing).rejects.toThrow("a bug in a gate");
      expect(await run(id)).toMatchObject({ state: "queued", version: 1 });
      expect((await claim())?.id).toBe(id);
    });
  });

  describe("the index of the lanes", () => {
    it("refuses a second running run in a lane, whatever the code does", async () => {
      const { deployment, claim, database, run } = await openScene(storage);
      await deployment({ sha: sha(1) });
      const second = await deployment({ sha: sha(2) });
      await claim();
      const forced = database.write((tx) =>
        tx.db.updateTable("run").set({ state: "running" }).where("id", "=", second).execute(),
      );
      expect(await forced.catch(isUniqueViolation)).toBe(true);
      expect((await run(second)).state).toBe("queued");
    });
  });

  describe("a beat", () => {
    it("renews the lease", async () => {
      const { check, claim, database, pass, run } = await openScene(storage);
      const id = await check();
      const hold = holdOf(taken(await claim()));
      for (let n = 0; n < 4; n += 1) {
        pass(lease - 1);
        expect(await beat(database, hold)).toBe("go on");
        expect(await database.write((tx) => reap(tx, "expired"))).toBe(0);
      }
      expect((await run(id)).state).toBe("running");
    });

    it("tells of a wish to stop, each time", async () => {
      const { check, claim, database } = await openScene(storage);
      const id = await check();
      const hold = holdOf(taken(await claim()));
      await database.write((tx) => cancel(tx, id, closed));
      expect(await beat(database, hold)).toEqual(closed);
      expect(await beat(database, hold)).toEqual(closed);
    });

    it.each([
      ["another owner", { owner: "somebody else" }],
      ["an older attempt", { attempt: 0 }],
    ])("of %s is lost", async (_what, wrong) => {
      const { check, claim, database, pass } = await openScene(storage);
      await check();
      const hold = holdOf(taken(await claim()));
      expect(await beat(database, { ...hold, ...wrong })).toBe("lost");
      pass(lease + 1);
      expect(await database.write((tx) => reap(tx, "expired"))).toBe(1);
    });

    it("is lost once the run was taken back, also when the same worker has it again", async () => {
      const { check, claim, database, pass } = await openScene(storage);
      await check();
      const hold = holdOf(taken(await claim()));
      pass(lease + 1);
      await database.write((tx) => reap(tx, "expired"));
      expect(await beat(database, hold)).toBe("lost");
      const again = taken(await claim());
      expect(again.attempt.number).toBe(2);
      expect(await beat(database, hold)).toBe("lost");
      expect(await beat(database, holdOf(again))).toBe("go on");
    });
  });

  describe("what a run remembers", () => {
    it("is handed to the next attempt, and forgotten when it is run again", async () => {
      const { check, claim, database, finish } = await openScene(storage);
      const id = await check();
      const hold = holdOf(taken(await claim()));
      expect(await remember(database, hold, { item: 4711 })).toBe(true);
      await database.write((tx) => putBack(tx, hold));
      const second = taken(await claim());
      expect(second.remembered).toEqual({ item: 4711 });
      expect(await remember(database, hold, "stale")).toBe(false);
      await finish(holdOf(second));
      await database.write((tx) => retry(tx, id, null));
      expect(taken(await claim()).remembered).toBeNull();
    });
  });

  describe("a finish", () => {
    it("ends the run and its attempt with the outcome", async () => {
      const { check, claim, finish, run, database, now, pass } = await openScene(storage);
      const id = await check();
      const claimed = taken(await claim());
      const startedAt = new Date(now());
      pass(40_000);
      expect(await finish(holdOf(claimed), { kind: "failed", what: "npm test exited with 1", exitCode: 1 })).toBe(true);
      const finishedAt = new Date(now());
      const outcome = { kind: "failed", what: "npm test exited with 1", exitCode: 1 };
      expect(await run(id)).toMatchObject({ state: "finished", attempt: { number: 1, startedAt }, finishedAt, outcome });
      expect(await database.read((db) => attemptsOf(db, id))).toEqual([
        { number: 1, startedAt, finishedAt, outcome, firstError: null },
      ]);
    });

    it.each(["finished", "queued", "running elsewhere"])(
      "that is stale, of a run that is %s by now, changes nothing",
      async (now) => {
        const { check, claim, finish, run, database, wanted } = await openScene(storage);
        const id = await check();
        const hold = holdOf(taken(await claim("first")), "first");
        if (now === "finished") await finish(hold, { kind: "failed", what: "it" });
        else await database.write((tx) => reap(tx, "all"));
        if (now === "running elsewhere") await claim("second");
        const [before, told] = [await run(id), await wanted(`run ${id}`)];
        expect(await finish(hold)).toBe(false);
        expect(await database.write((tx) => putBack(tx, hold))).toBe(false);
        expect(await run(id)).toEqual(before);
        expect(await wanted(`run ${id}`)).toBe(told);
      },
    );

    it("of a deployment that passed has the one that was live told anew, and none before", async () => {
      const { deployment, claim, finish, wanted, database } = await openScene(storage);
      const deploy = async (digit: number, environment = "staging") => {
        const id = await deployment({ sha: sha(digit), environment });
        await finish(holdOf(taken(await claim())));
        return id;
      };
      const elsewhere = await deploy(1, "production");
      const first = await deploy(1);
      const second = await deploy(2);
      const before = await Promise.all([elsewhere, first, second].map((id) => wanted(`run ${id}`)));
      const third = await deploy(3);
      const after = await Promise.all([elsewhere, first, second].map((id) => wanted(`run ${id}`)));
      expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual([0, 0, 1]);
      expect((await database.read((db) => liveRun(db, repository.id, "staging")))?.id).toBe(third);
    });

    it.each([{ kind: "failed", what: "it" } as const, { kind: "lost" } as const])(
      "of a deployment that $kind leaves what was live",
      async (outcome) => {
        const { deployment, claim, finish, wanted, database } = await openScene(storage);
        const live = await deployment({ sha: sha(1) });
        await finish(holdOf(taken(await claim())));
        const told = await wanted(`run ${live}`);
        await deployment({ sha: sha(2) });
        await finish(holdOf(taken(await claim())), outcome);
        expect(await wanted(`run ${live}`)).toBe(told);
        expect((await database.read((db) => liveRun(db, repository.id, "staging")))?.id).toBe(live);
      },
    );

    it("of a check has deployments thought through only where some wait", async () => {
      const { check, wish, claim, finish, reconsiderWanted } = await openScene(storage);
      await check({ name: "a" });
      await finish(holdOf(taken(await claim())));
      expect(await reconsiderWanted()).toBe(0);
      await wish();
      await check({ name: "b" });
      const before = await reconsiderWanted();
      await finish(holdOf(taken(await claim())));
      expect(await reconsiderWanted()).toBe(before + 1);
    });
  });

  describe("a cancellation", () => {
    it.each(["waiting", "queued"])("ends at once what is %s", async (state) => {
      const { wish, deployment, run, claim, database, reconsiderWanted } = await openScene(storage);
      const id = await (state === "waiting" ? wish() : deployment());
      const before = await reconsiderWanted();
      await database.write((tx) => cancel(tx, id, closed));
      expect(await run(id)).toMatchObject({
        state: "finished",
        attempt: null,
        outcome: { kind: "cancelled", because: closed },
      });
      expect(await reconsiderWanted()).toBe(before + 1);
      expect(await claim()).toBeNull();
    });

    it("of a running deployment asks its worker, and keeps the lane until the work has stopped", async () => {
      const { deployment, claim, finish, run, database } = await openScene(storage);
      const [id, next] = [await deployment({ sha: sha(1) }), await deployment({ sha: sha(2) })];
      const hold = holdOf(taken(await claim()));
      let rung = 0;
      database.wake.on("stops", () => {
        rung += 1;
      });
      await database.write((tx) => cancel(tx, id, closed));
      await until("the workers are woken", () => rung === 1);
      expect(await run(id)).toMatchObject({ state: "running", stop: closed });
      expect(await claim()).toBeNull();
      await finish(hold, { kind: "cancelled", because: closed });
      expect((await claim())?.id).toBe(next);
    });

    it.each(["waiting", "queued", "running"])("is repeated for what was %s, and the first reason stays", async (state) => {
      const { wish, deployment, claim, run, database } = await openScene(storage);
      const id = await (state === "waiting" ? wish() : deployment());
      if (state === "running") await claim();
      await database.write((tx) => cancel(tx, id, closed));
      const before = await run(id);
      await database.write((tx) => cancel(tx, id, byHand));
      expect(await run(id)).toEqual(before);
    });

    it("of what has finished changes nothing", async () => {
      const { check, claim, finish, run, database } = await openScene(storage);
      const id = await check();
      await finish(holdOf(taken(await claim())));
      const before = await run(id);
      await database.write((tx) => cancel(tx, id, closed));
      expect(await run(id)).toEqual(before);
    });

    it("outlives that the worker puts the run back: it is not tried again", async () => {
      const { check, claim, run, database } = await openScene(storage);
      const id = await check();
      const hold = holdOf(taken(await claim()));
      await database.write((tx) => cancel(tx, id, closed));
      expect(await database.write((tx) => putBack(tx, hold))).toBe(true);
      expect(await run(id)).toMatchObject({ state: "finished", outcome: { kind: "cancelled", because: closed } });
    });

    it("is forgotten by the attempt after it", async () => {
      const { check, claim, finish, database } = await openScene(storage);
      const id = await check();
      const hold = holdOf(taken(await claim()));
      await database.write((tx) => cancel(tx, id, closed));
      await finish(hold, { kind: "cancelled", because: closed });
      await database.write((tx) => retry(tx, id, null));
      const again = taken(await claim());
      expect(again).toMatchObject({ stop: null, attempt: { number: 2 } });
      expect(await beat(database, holdOf(again))).toBe("go on");
    });
  });

  describe("a check that is put back", () => {
    it("is queued again after its pause, and its attempt stays in the history", async () => {
      const { check, claim, run, database, now, pass } = await openScene(storage);
      const id = await check();
      const startedAt = new Date(now());
      const hold = holdOf(taken(await claim()));
      pass(3_000);
      await database.write((tx) => putBack(tx, hold, tx.now + 10_000));
      expect(await run(id)).toMatchObject({ state: "queued", earlierAttempts: 1 });
      expect(await database.read((db) => attemptsOf(db, id))).toEqual([
        { number: 1, startedAt, finishedAt: new Date(now()), outcome: null, firstError: null },
      ]);
      pass(9_999);
      expect(await claim()).toBeNull();
      pass(1);
      expect((await claim())?.attempt.number).toBe(2);
    });
  });

  describe("a check that left a build working elsewhere", () => {
    const scene = async () => {
      const opened = await openScene(storage);
      const id = await opened.check();
      const hold = holdOf(taken(await opened.claim()));
      expect(await remember(opened.database, hold, { item: 39 })).toBe(true);
      return { ...opened, id, hold };
    };

    it.each([
      ["cancelled while it is queued again", "before"],
      ["cancelled by the time its worker dies", "after"],
    ])("is handed out once more when it is %s, so that the build is stopped", async (_what, when) => {
      const { database, claim, run, id, hold, finish } = await scene();
      if (when === "after") await database.write((tx) => cancel(tx, id, closed));
      await database.write((tx) => reap(tx, "all"));
      if (when === "before") await database.write((tx) => cancel(tx, id, closed));
      await database.write((tx) => cancel(tx, id, { kind: "by hand", by: "mira" }));
      expect(await run(id)).toMatchObject({ state: "queued", stop: closed });

      const again = taken(await claim());
      expect(again).toMatchObject({ stop: closed, remembered: { item: 39 }, attempt: { number: 2 } });
      expect(hold.attempt).toBe(1);
      await finish(holdOf(again), { kind: "cancelled", because: closed });
      expect(await run(id)).toMatchObject({ state: "finished", outcome: { kind: "cancelled" } });
    });

    it("goes on when it is wanted again before anybody stopped it", async () => {
      const { database, claim, run, id } = await scene();
      await database.write((tx) => reap(tx, "all"));
      await database.write((tx) => cancel(tx, id, closed));
      expect(await database.write((tx) => retry(tx, id, { run: "npm test" }))).toBe(true);
      expect(await run(id)).toEqual(expect.not.objectContaining({ stop: expect.anything() }));
      expect(taken(await claim())).toMatchObject({ stop: null, remembered: { item: 39 } });
    });

    it("ends at once when nothing of it works any more", async () => {
      const { database, run, id, hold } = await scene();
      await remember(database, hold, null);
      await database.write((tx) => reap(tx, "all"));
      await database.write((tx) => cancel(tx, id, closed));
      expect(await run(id)).toMatchObject({ state: "finished", outcome: { kind: "cancelled", because: closed } });
    });
  });

  it("never puts a deployment back, whether somebody wants it stopped or not", async () => {
    const { deployment, claim, run, database } = await openScene(storage);
    const id = await deployment();
    const hold = holdOf(taken(await claim()));
    expect(await database.write((tx) => putBack(tx, hold))).toBe(false);
    await database.write((tx) => cancel(tx, id, closed));
    expect(await database.write((tx) => putBack(tx, hold))).toBe(false);
    expect(await run(id)).toMatchObject({ state: "running", stop: closed });
  });

  describe("another attempt", () => {
    it("of a finished check keeps those before it and takes the newer configuration", async () => {
      const { check, claim, finish, run, database } = await openScene(storage);
      const id = await check();
      await finish(holdOf(taken(await claim())), { kind: "failed", what: "it" });
      expect(await database.write((tx) => retry(tx, id, { run: "npm run new" }))).toBe(true);
      expect(await run(id)).toMatchObject({ state: "queued", earlierAttempts: 1, configuration: { run: "npm run new" } });
      await finish(holdOf(taken(await claim())));
      const attempts = await database.read((db) => attemptsOf(db, id));
      expect(attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
        [1, { kind: "failed", what: "it" }],
        [2, { kind: "passed" }],
      ]);
    });

    it("does not wait for a pause that was meant for the one before", async () => {
      const { check, claim, database } = await openScene(storage);
      const id = await check();
      const hold = holdOf(taken(await claim()));
      await database.write((tx) => putBack(tx, hold, tx.now + 60_000));
      await database.write((tx) => cancel(tx, id, closed));
      await database.write((tx) => retry(tx, id, null));
      expect((await claim())?.id).toBe(id);
    });

    it.each(["queued", "running"])("is not given to a check that is %s", async (state) => {
      const { check, claim, run, database } = await openScene(storage);
      const id = await check();
      if (state === "running") await claim();
      const before = await run(id);
      expect(await database.write((tx) => retry(tx, id, null))).toBe(false);
      expect(await run(id)).toEqual(before);
    });

    it("is never given to a deployment", async () => {
      const { deployment, claim, finish, run, database } = await openScene(storage);
      const id = await deployment();
      await finish(holdOf(taken(await claim())), { kind: "lost" });
      const before = await run(id);
      expect(await database.write((tx) => retry(tx, id, null))).toBe(false);
      expect(await run(id)).toEqual(before);
    });
  });

  describe("taking back abandoned runs", () => {
    it.each(["expired", "all"] as const)("(%s) queues a check again and loses a deployment", async (which) => {
      const { check, deployment, claim, run, database, pass } = await openScene(storage);
      const [test, deployed] = [await check(), await deployment()];
      await claim();
      await claim();
      pass(lease + 1);
      expect(await database.write((tx) => reap(tx, which))).toBe(2);
      expect(await run(test)).toMatchObject({ state: "queued", earlierAttempts: 1 });
      expect(await run(deployed)).toMatchObject({ state: "finished", outcome: { kind: "lost" } });
      expect(await database.write((tx) => reap(tx, which))).toBe(0);
      const [lost] = await database.read((db) => attemptsOf(db, deployed));
      expect(lost?.outcome).toEqual({ kind: "lost" });
    });

    describe("of a deployment that has remembered with what it can go on", () => {
      /** Deployed by a worker that has died since. */
      async function orphan(scene: Awaited<ReturnType<typeof openScene>>) {
        const id = await scene.deployment({ sha: sha(1) });
        const hold = holdOf(taken(await scene.claim()));
        await remember(scene.database, hold, { build: 12 });
        scene.pass(lease + 1);
        return { id, hold };
      }

      it.each(["expired", "all"] as const)(
        "(%s) keeps it running, in its lane, until the next worker adopts it",
        async (which) => {
          const scene = await openScene(storage);
          const { id, hold } = await orphan(scene);
          const { database, run, claim, deployment } = scene;
          await deployment({ sha: sha(2) });
          expect(await database.write((tx) => reap(tx, which))).toBe(1);
          expect(await run(id)).toMatchObject({ state: "running", remembered: { build: 12 } });
          expect(await beat(database, hold)).toBe("lost");
          expect(await database.write((tx) => finish(tx, hold, { kind: "passed" }))).toBe(false);
          // Neither a gate that has shut nor the next in its lane comes before it.
          const adopted = await claim("next", async () => [{ kind: "order" }]);
          expect(adopted).toMatchObject({ id, attempt: { number: 2 }, remembered: { build: 12 } });
          expect(await claim("another")).toBeNull();
          expect((await database.read((db) => attemptsOf(db, id))).map(({ outcome }) => outcome)).toEqual([null, null]);
        },
      );

      it("still knows that somebody wanted to stop it, so that it is stopped where it goes on", async () => {
        const scene = await openScene(storage);
        const { id } = await orphan(scene);
        const { database, claim } = scene;
        await database.write((tx) => cancel(tx, id, closed));
        await database.write((tx) => reap(tx, "all"));
        expect(await claim("next")).toMatchObject({ id, stop: closed });
      });

      it("can be stopped while nobody holds it", async () => {
        const scene = await openScene(storage);
        const { id } = await orphan(scene);
        const { database, claim } = scene;
        await database.write((tx) => reap(tx, "all"));
        await database.write((tx) => cancel(tx, id, closed));
        expect(await claim("next")).toMatchObject({ id, stop: closed });
      });

      it("is taken back from each worker that dies, and given to one of many", async () => {
        const scene = await openScene(storage);
        const { id } = await orphan(scene);
        const { database, claim, pass } = scene;
        for (const number of [2, 3]) {
          expect(await database.write((tx) => reap(tx, "expired"))).toBe(1);
          expect(await database.write((tx) => reap(tx, "expired"))).toBe(0);
          const claims = await Promise.all(["a", "b", "c"].map((owner) => claim(owner)));
          expect(claims.filter((run) => run !== null)).toMatchObject([{ id, attempt: { number } }]);
          pass(lease + 1);
        }
      });
    });

    it("ends what somebody wanted to stop as cancelled", async () => {
      const { check, deployment, claim, run, database } = await openScene(storage);
      const ids = [await check(), await deployment()];
      for (const id of ids) {
        await claim();
        await database.write((tx) => cancel(tx, id, closed));
      }
      await database.write((tx) => reap(tx, "all"));
      for (const id of ids)
        expect(await run(id)).toMatchObject({ state: "finished", outcome: { kind: "cancelled", because: closed } });
    });

    it("leaves those whose lease lasts, unless all are known to be dead", async () => {
      const { check, claim, run, database, pass } = await openScene(storage);
      const id = await check();
      await claim();
      pass(lease);
      expect(await database.write((tx) => reap(tx, "expired"))).toBe(0);
      expect((await run(id)).state).toBe("running");
      expect(await database.write((tx) => reap(tx, "all"))).toBe(1);
    });

    it("frees the lane of what was lost", async () => {
      const { deployment, claim, database } = await openScene(storage);
      await deployment({ sha: sha(1) });
      const next = await deployment({ sha: sha(2) });
      await claim();
      await database.write((tx) => reap(tx, "all"));
      expect((await claim())?.id).toBe(next);
    });
  });

  describe("a run that exists already", () => {
    it("is found by commit, check and trust, and nothing is told", async () => {
      const { check, database, wanted } = await openScene(storage);
      await check();
      const again = (more = {}) => database.write((tx) => createCheck(tx, newCheck(more)));
      expect(await again({ cause: { kind: "receipt", id: 2 }, pullRequest: 13 })).toBeNull();
      expect([await wanted("run 1"), await wanted(`commit 7 ${sha(1)}`)]).toEqual([1, 1]);
      expect(await again({ trust: "fork" })).not.toBeNull();
      expect(await again({ name: "lint" })).not.toBeNull();
      expect(await again({ sha: sha(2) })).not.toBeNull();
      expect(await again({ repository: 8 })).not.toBeNull();
    });

    it("is found when it is made many times at once", async () => {
      const { database, wanted } = await openScene(storage);
      const ids = await Promise.all(Array.from({ length: 10 }, () => database.write((tx) => createCheck(tx, newCheck()))));
      const made = ids.filter((id) => id !== null);
      expect(made).toHaveLength(1);
      expect(await wanted(`run ${made[0]}`)).toBe(1);
    });

    it("is an unfinished deployment of the same commit, environment and task", async () => {
      const { wish, claim, finish, database, wanted, reconsiderWanted } = await openScene(storage);
      const id = await wish();
      const again = (more = {}) => database.write((tx) => createDeploymentRun(tx, newDeployment(more)));
      const [told, thought] = [await wanted(`run ${id}`), await reconsiderWanted()];
      expect(await again()).toBeNull();
      expect(await again({ automatic: true })).toBeNull();
      expect([await wanted(`run ${id}`), await reconsiderWanted()]).toEqual([told, thought]);
      expect(await again({ task: "rollback" })).not.toBeNull();
      expect(await again({ environment: "production" })).not.toBeNull();
      await database.write((tx) => enqueue(tx, id, null));
      await finish(holdOf(taken(await claim())));
      expect(await again()).not.toBeNull();
    });

    it("is a deployment that nobody asked for, once and for ever", async () => {
      const { deployment, claim, finish, database } = await openScene(storage);
      await deployment({ automatic: true });
      await finish(holdOf(taken(await claim())), { kind: "failed", what: "it" });
      const again = (automatic: boolean) => database.write((tx) => createDeploymentRun(tx, newDeployment({ automatic })));
      expect(await again(true)).toBeNull();
      expect(await again(false)).not.toBeNull();
    });

    it("is a deployment that GitHub knows by the same id", async () => {
      const { wish, database } = await openScene(storage);
      await wish({ github: 99 });
      const again = (more: object) => database.write((tx) => createDeploymentRun(tx, newDeployment(more)));
      expect(await again({ github: 99, sha: sha(2) })).toBeNull();
      expect(await again({ github: 99, sha: sha(2), repository: 8 })).not.toBeNull();
    });
  });

  describe("every change", () => {
    it("raises the version, and with it what GitHub must hear", async () => {
      const { wish, run, claim, finish, database, wanted } = await openScene(storage);
      const id = await wish();
      const [commit, seen] = [`commit 7 ${sha(1)}`, [] as (readonly [string, number, number])[]];
      const look = async () => {
        const { state, version } = await run(id);
        seen.push([state, version, await wanted(`run ${id}`)]);
      };
      await look();
      await database.write((tx) => keepWaiting(tx, id, [{ kind: "previous", environment: "staging" }]));
      await look();
      await database.write((tx) => keepWaiting(tx, id, [{ kind: "previous", environment: "staging" }]));
      await look();
      await database.write((tx) => enqueue(tx, id, null));
      await look();
      const hold = holdOf(taken(await claim()));
      await look();
      await finish(hold);
      await look();
      expect(seen).toEqual([
        ["waiting", 1, 1],
        ["waiting", 2, 2],
        ["waiting", 2, 2],
        ["queued", 3, 3],
        ["running", 4, 4],
        ["finished", 5, 5],
      ]);
      expect(await wanted(commit)).toBe(0);
    });

    it("of a check raises what its commit shows too", async () => {
      const { check, claim, finish, wanted, database } = await openScene(storage);
      const id = await check();
      const hold = holdOf(taken(await claim()));
      await database.write((tx) => putBack(tx, hold));
      await finish(holdOf(taken(await claim())));
      expect([await wanted(`run ${id}`), await wanted(`commit 7 ${sha(1)}`)]).toEqual([5, 5]);
    });

    it("that is rolled back raises nothing and makes nothing", async () => {
      const { check, claim, run, wanted, database } = await openScene(storage);
      const id = await check();
      const hold = holdOf(taken(await claim()));
      const [before, told] = [await run(id), await wanted(`run ${id}`)];
      const failing = database.write(async (tx) => {
        await finish(tx, hold, { kind: "passed" });
        await createCheck(tx, newCheck({ name: "other" }));
        throw new Error("roll back");
      });
      await expect(failing).rejects.toThrow("roll back");
      expect(await run(id)).toEqual(before);
      expect([await wanted(`run ${id}`), await wanted(`commit 7 ${sha(1)}`)]).toEqual([told, told]);
      expect(await database.read((db) => db.selectFrom("run").select("id").execute())).toHaveLength(1);
    });

    it("of a run that does not wait any more is not made by its gates", async () => {
      const { deployment, run, database } = await openScene(storage);
      const id = await deployment();
      const before = await run(id);
      expect(await database.write((tx) => enqueue(tx, id, null))).toBe(false);
      await database.write((tx) => keepWaiting(tx, id, [{ kind: "order" }]));
      expect(await run(id)).toEqual(before);
    });
  });

  describe("thinking a repository through", () => {
    it("is wanted with the change, or not at all", async () => {
      const { database } = await openScene(storage);
      const failing = database.write(async (tx) => {
        await wantReconsidering(tx, repository.id);
        throw new Error("roll back");
      });
      await expect(failing).rejects.toThrow("roll back");
      expect(await database.read(toReconsider)).toEqual([]);
      await database.write((tx) => wantReconsidering(tx, repository.id));
      expect(await database.read(toReconsider)).toEqual([{ repository: repository.id, wanted: 1 }]);
    });

    it("is wanted still when something came during the work", async () => {
      const { database } = await openScene(storage);
      await database.write((tx) => wantReconsidering(tx, repository.id));
      const [due] = await database.read(toReconsider);
      await database.write((tx) => wantReconsidering(tx, repository.id));
      await database.write((tx) => reconsidered(tx, repository.id, due?.wanted ?? 0));
      expect(await database.read(toReconsider)).toEqual([{ repository: repository.id, wanted: 2 }]);
      await database.write((tx) => reconsidered(tx, repository.id, 2));
      expect(await database.read(toReconsider)).toEqual([]);
    });

    it("is not undone by one that began earlier and ends later", async () => {
      const { database } = await openScene(storage);
      await database.write((tx) => wantReconsidering(tx, repository.id));
      await database.write((tx) => wantReconsidering(tx, repository.id));
      await database.write((tx) => reconsidered(tx, repository.id, 2));
      await database.write((tx) => reconsidered(tx, repository.id, 1));
      expect(await database.read(toReconsider)).toEqual([]);
    });

    it("counts every wish of many at once", async () => {
      const { database, reconsiderWanted } = await openScene(storage);
      await Promise.all(Array.from({ length: 20 }, () => database.write((tx) => wantReconsidering(tx, repository.id))));
      expect(await reconsiderWanted()).toBe(20);
    });
  });

  // SQLite has one writer at a time; here two transactions meet on one row.
  if (storage.engine === "postgres") {
    describe("a cancellation that meets another change of the same run", () => {
      /** Begins the change and the cancellation at the same moment, in this order, and commits them. */
      async function meet(change: (tx: Transaction) => Promise<unknown>, cancelling: (tx: Transaction) => Promise<void>) {
        const place = await storage.place();
        const scene = await openScene({ ...storage, open: (options) => storage.openAt(place, options) });
        const server = await storage.server();
        return {
          ...scene,
          async together() {
            const changed = Promise.withResolvers<void>();
            const goOn = Promise.withResolvers<void>();
            const first = scene.database.write(async (tx) => {
              await change(tx);
              changed.resolve();
              await goOn.promise;
            });
            await changed.promise;
            const second = scene.database.write(cancelling);
            await until("the cancellation waits for the row", async () => {
              const waiting = await server.run(
                place.url ?? "",
                "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
              );
              return waiting.length > 0;
            }).finally(goOn.resolve);
            await Promise.all([first, second]);
          },
        };
      }

      it("is not lost when the run is put back into the queue", async () => {
        let hold = { id: 0, attempt: 0, owner: "" };
        const scene = await meet(
          (tx) => putBack(tx, hold),
          (tx) => cancel(tx, hold.id, closed),
        );
        await scene.check();
        hold = holdOf(taken(await scene.claim()));
        await scene.together();
        expect(await scene.run(hold.id)).toMatchObject({ state: "finished", outcome: { kind: "cancelled", because: closed } });
      });

      it("is not lost when a gate has shut again", async () => {
        let id = 0;
        const scene = await meet(
          (tx) =>
            sql`update run set state = 'waiting', gates = ${JSON.stringify([{ kind: "order" }])} where id = ${id}`.execute(tx.db),
          (tx) => cancel(tx, id, closed),
        );
        id = await scene.deployment();
        await scene.together();
        expect(await scene.run(id)).toMatchObject({ state: "finished", outcome: { kind: "cancelled", because: closed } });
      });

      it("asks the worker that has just claimed it", async () => {
        let id = 0;
        const scene = await meet(
          (tx) =>
            sql`update run set state = 'running', owner = 'worker', lease_until = ${tx.now + lease}, attempt = 1, started_at = ${tx.now} where id = ${id}`.execute(
              tx.db,
            ),
          (tx) => cancel(tx, id, closed),
        );
        id = await scene.check();
        await scene.together();
        expect(await scene.run(id)).toMatchObject({ state: "running", stop: closed });
      });
    });

    describe("taking back abandoned runs", () => {
      it.each([
        [
          "beats",
          (tx: Transaction, id: number) => sql`update run set lease_until = ${tx.now + lease} where id = ${id}`.execute(tx.db),
        ],
        ["is asked to stop", (tx: Transaction, id: number) => cancel(tx, id, closed)],
      ])("leaves a run alone whose worker %s at that very moment", async (_what, change) => {
        const scene = await openScene(storage);
        const id = await scene.deployment();
        await scene.claim();
        scene.pass(lease + 1);
        const changed = Promise.withResolvers<void>();
        const goOn = Promise.withResolvers<void>();
        const changing = scene.database.write(async (tx) => {
          await change(tx, id);
          changed.resolve();
          await goOn.promise;
        });
        await changed.promise;
        const reaped = await scene.database.write((tx) => reap(tx, "expired")).finally(goOn.resolve);
        await changing;
        expect([reaped, (await scene.run(id)).state]).toEqual([0, "running"]);
      });
    });
  }
});
