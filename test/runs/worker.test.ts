import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "@jest/globals";
import { sql } from "kysely";
import { pino } from "pino";
import { rememberRepository } from "../../src/github/repository.ts";
import { createCheck, createDeploymentRun } from "../../src/runs/births.ts";
import type { Executors, RunIo } from "../../src/runs/execute.ts";
import { readLines } from "../../src/runs/log.ts";
import { beat, cancel, reap } from "../../src/runs/queue.ts";
import { attemptsOf, findRun, stepsOf } from "../../src/runs/read.ts";
import type { Cancellation, Outcome } from "../../src/runs/run.ts";
import { startWorker, type Worker } from "../../src/runs/worker.ts";
import { engines } from "../support/engines.ts";
import { until } from "../support/until.ts";
import { mayAlwaysStart, newCheck, newDeployment, openScene, repository, sha } from "./scene.ts";

const closed: Cancellation = { kind: "closed", pullRequest: 12 };

describe.each(engines())("a worker on %s", (_name, storage) => {
  const workers: Worker[] = [];
  const begun: Work[] = [];
  afterEach(async () => {
    const stopping = workers.splice(0).map((worker) => worker.stop(0));
    // What a test that failed has left under way would never end.
    for (const { fail } of begun.splice(0)) fail(new Error("the test is over"));
    await Promise.all(stopping);
  });

  /** A scene with a worker, whose runs the test ends one by one. */
  async function openWork({ concurrency = 2 } = {}) {
    const scene = await openScene(storage);
    const lines: string[] = [];
    const log = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
    const underWay: Work[] = [];
    const execute = (run: { readonly id: number }, io: RunIo) => {
      const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
      const work = { id: run.id, run, io, end: resolve, fail: reject };
      underWay.push(work);
      begun.push(work);
      return promise.finally(() => underWay.splice(underWay.indexOf(work), 1));
    };
    const executors: Executors = { check: execute, deployment: execute };
    const start = (owner = "worker") => {
      const worker = startWorker({
        database: scene.database,
        owner,
        concurrency,
        executors,
        mayStart: mayAlwaysStart,
        logLimit: 1_000_000,
        log,
      });
      workers.push(worker);
      return worker;
    };
    return {
      ...scene,
      worker: start(),
      start,
      lines,
      underWay,
      ids: () => underWay.map(({ id }) => id),
      /** The work on a run, once it is under way. */
      work: (id: number) => until(`run ${id} is worked on`, () => underWay.find((work) => work.id === id)),
      ended: (id: number) =>
        until(`run ${id} has ended`, async () => {
          const run = await scene.run(id);
          return run.state === "finished" && run;
        }),
    };
  }
  interface Work {
    readonly id: number;
    readonly run: object;
    readonly io: RunIo;
    end(outcome: Outcome): void;
    fail(error: unknown): void;
  }
  const aborted = (io: RunIo) => until("the work is told to stop", () => io.stop.aborted);

  it("executes what is queued, now and later, each kind by its executor, and ends it with the outcome", async () => {
    const { check, deployment, work, ended } = await openWork();
    const first = await check();
    (await work(first)).end({ kind: "passed" });
    expect(await ended(first)).toMatchObject({ outcome: { kind: "passed" }, attempt: { number: 1 } });
    const second = await deployment();
    const deployed = await work(second);
    expect(deployed.run).toMatchObject({ kind: "deployment", state: "running", environment: "staging" });
    deployed.end({ kind: "passed", live: { release: { folder: "1" }, url: "https://staging.example.com" } });
    expect(await ended(second)).toMatchObject({ outcome: { live: { release: { folder: "1" } } } });
  });

  it("has as many runs at once as it may, and takes the next when one has ended", async () => {
    const { check, work, ids, run, ended } = await openWork({ concurrency: 2 });
    const made = [await check({ name: "a" }), await check({ name: "b" }), await check({ name: "c" })] as const;
    await Promise.all([work(made[0]), work(made[1])]);
    expect((await run(made[2])).state).toBe("queued");
    expect(ids()).toEqual([made[0], made[1]]);
    (await work(made[1])).end({ kind: "passed" });
    await ended(made[1]);
    await work(made[2]);
    expect(ids()).toEqual([made[0], made[2]]);
    for (const id of [made[0], made[2]]) (await work(id)).end({ kind: "passed" });
  });

  it("keeps output and steps while the run goes on", async () => {
    const { check, work, ended, database } = await openWork();
    const id = await check();
    const { io, end } = await work(id);
    const first = await io.step("Check out 0000000");
    await io.write(Buffer.from("one\ntwo"));
    await first.end(null);
    const second = await io.step("npm test");
    await io.write(Buffer.from("three\n"));
    await second.end(1);
    end({ kind: "failed", what: "npm test exited with 1", exitCode: 1 });
    await ended(id);
    expect(await database.read((db) => readLines(db, { run: id, attempt: 1, from: 1, to: 9 }))).toMatchObject({
      lines: ["one", "two", "three"],
    });
    expect(await database.read((db) => stepsOf(db, id, 1))).toMatchObject([
      { number: 1, name: "Check out 0000000", exitCode: null, firstLine: 1, finishedAt: expect.any(Date) },
      { number: 2, name: "npm test", exitCode: 1, firstLine: 3, finishedAt: expect.any(Date) },
    ]);
  });

  it.each(["check", "deployment"] as const)("tells the work on a %s that it is cancelled, and why", async (kind) => {
    const { check, deployment, work, ended, database } = await openWork();
    const id = await (kind === "check" ? check() : deployment());
    const { io, fail } = await work(id);
    await database.write((tx) => cancel(tx, id, closed));
    await aborted(io);
    expect(io.stop.reason).toEqual(closed);
    fail(io.stop.reason);
    expect(await ended(id)).toMatchObject({ outcome: { kind: "cancelled", because: closed } });
  });

  it("takes the word of a run that ended before the cancellation reached it", async () => {
    const { check, work, ended, database } = await openWork();
    const id = await check();
    const { io, end } = await work(id);
    await database.write((tx) => cancel(tx, id, closed));
    await aborted(io);
    end({ kind: "passed" });
    expect(await ended(id)).toMatchObject({ outcome: { kind: "passed" } });
  });

  it("shows nobody the message of a bug, but writes it into its log, without the run's secrets", async () => {
    const { check, work, ended, lines } = await openWork();
    const id = await check();
    const { io, fail } = await work(id);
    io.conceal("tr0ub4dor&3");
    const cause = Object.assign(new Error("tr0ub4dor&3 is wrong"), { response: { headers: "tr0ub4dor&3" }, code: "EAUTH" });
    fail(Object.assign(new Error("not for tr0ub4dor&3", { cause }), cause));
    const { outcome } = await ended(id);
    expect(outcome).toEqual({
      kind: "errored",
      what: "Signalbox itself failed",
      fix: `The server's log has the details of run ${id}`,
    });
    const told = lines.map((line) => JSON.parse(line).err).find((err) => err !== undefined);
    expect(told).toMatchObject({ code: "EAUTH", message: "not for ***: *** is wrong" });
    expect(lines.join("")).not.toContain("tr0ub4dor");
  });

  const unavailable = () => Object.assign(new Error("GitHub did not answer: 502\nand more"), { retryable: true });
  it("tries a check again whose surroundings failed, five times at most, each time later", async () => {
    const { check, work, ended, database, run, pass } = await openWork();
    const id = await check();
    for (const pause of [10_000, 20_000, 40_000, 80_000]) {
      (await work(id)).fail(unavailable());
      await until("it is queued again", async () => (await run(id)).state === "queued");
      pass(pause - 1);
      expect(
        await database.write((tx) => tx.db.selectFrom("run").select("id").where("not_before", "<=", tx.now).execute()),
      ).toEqual([]);
      pass(1);
      database.wake.ring("runs");
    }
    (await work(id)).fail(unavailable());
    expect((await ended(id)).outcome).toEqual({
      kind: "errored",
      what: "GitHub did not answer: 502",
      fix: "Run it again later",
    });
    expect(await database.read((db) => attemptsOf(db, id))).toHaveLength(5);
  });

  it("never tries a deployment again", async () => {
    const { deployment, work, ended } = await openWork();
    const id = await deployment();
    (await work(id)).fail(unavailable());
    expect((await ended(id)).outcome).toMatchObject({ kind: "errored", what: "GitHub did not answer: 502" });
  });

  describe("that is stopped", () => {
    it("breaks checks off, puts them back and resolves when their work has ended", async () => {
      const { check, work, run, worker, ids } = await openWork();
      const id = await check();
      const { io, fail } = await work(id);
      let isOver = false;
      const stopping = worker.stop(60_000).then(() => {
        isOver = true;
      });
      await aborted(io);
      expect([io.stop.reason, isOver]).toEqual(["shutdown", false]);
      fail(io.stop.reason);
      await stopping;
      expect(await run(id)).toMatchObject({ state: "queued", earlierAttempts: 1 });
      expect(ids()).toEqual([]);
    });

    it("lets a deployment end by itself", async () => {
      // With room for another the worker might be taking the check in the very moment in which it is stopped.
      const { deployment, check, work, run, worker } = await openWork({ concurrency: 1 });
      const id = await deployment();
      const { io, end } = await work(id);
      const stopping = worker.stop(60_000);
      await check();
      end({ kind: "passed" });
      await stopping;
      expect(io.stop.aborted).toBe(false);
      expect(await run(id)).toMatchObject({ state: "finished", outcome: { kind: "passed" } });
    });

    it("loses a deployment that does not end in time", async () => {
      const { deployment, work, run, worker } = await openWork();
      const id = await deployment();
      const { io, fail } = await work(id);
      const stopping = worker.stop(1);
      await aborted(io);
      fail(io.stop.reason);
      await stopping;
      expect(await run(id)).toMatchObject({ state: "finished", outcome: { kind: "lost" } });
    });

    it("leaves a deployment that goes on elsewhere at once, to the next worker, which knows what was remembered", async () => {
      const { deployment, work, run, worker, start, ended } = await openWork();
      const id = await deployment();
      const { io, fail } = await work(id);
      await io.remember({ build: 12 });
      const stopping = worker.stop(60_000);
      await aborted(io);
      fail(io.stop.reason);
      await stopping;
      expect(await run(id)).toMatchObject({ state: "running", remembered: { build: 12 } });
      start("next");
      const again = await work(id);
      expect(again.io.remembered).toEqual({ build: 12 });
      again.end({ kind: "passed" });
      expect(await ended(id)).toMatchObject({ attempt: { number: 2 }, outcome: { kind: "passed" } });
    });

    it("leaves a deployment in the moment in which it can be gone on with", async () => {
      const { deployment, work, run, worker } = await openWork();
      const id = await deployment();
      const { io, fail } = await work(id);
      const stopping = worker.stop(60_000);
      expect(io.stop.aborted).toBe(false);
      await io.remember({ wish: "7" });
      await aborted(io);
      expect(io.stop.reason).toBe("shutdown");
      fail(io.stop.reason);
      await stopping;
      expect(await run(id)).toMatchObject({ state: "running", remembered: { wish: "7" } });
    });

    it("loses a deployment that has forgotten what it could have gone on with", async () => {
      const { deployment, work, run, worker } = await openWork();
      const id = await deployment();
      const { io, fail } = await work(id);
      await io.remember({ build: 12 });
      await io.remember(null);
      const stopping = worker.stop(1);
      await aborted(io);
      fail(io.stop.reason);
      await stopping;
      expect(await run(id)).toMatchObject({ outcome: { kind: "lost" } });
    });

    it("takes nothing new, and what it was just taking is put back before it has stopped", async () => {
      const { check, underWay, run, worker, database, ids } = await openWork();
      const id = await check();
      const breakOff = setInterval(() => {
        for (const work of underWay) if (work.io.stop.aborted) work.fail(work.io.stop.reason);
      }, 1);
      database.wake.ring("runs");
      await worker.stop(60_000);
      expect([(await run(id)).state, ids()]).toEqual(["queued", []]);
      await check({ name: "later" });
      database.wake.ring("runs");
      expect(await database.read((db) => db.selectFrom("run").select("id").where("state", "<>", "queued").execute())).toEqual([]);
      clearInterval(breakOff);
    });

    it("does not put back what somebody cancelled in the same moment", async () => {
      const { check, work, run, worker, database } = await openWork();
      const id = await check();
      const { io, fail } = await work(id);
      const stopping = worker.stop(60_000);
      await aborted(io);
      await database.write((tx) => cancel(tx, id, closed));
      fail(io.stop.reason);
      await stopping;
      expect(await run(id)).toMatchObject({ state: "finished", outcome: { kind: "cancelled", because: closed } });
    });
  });

  it("keeps what it works on when the clock jumps or the machine has slept, and takes back what a dead one worked on", async () => {
    const { check, deployment, claim, work, run, ended, pass } = await openWork({ concurrency: 1 });
    const id = await deployment();
    const { io, end } = await work(id);
    const dead = await check();
    await claim("a dead worker");
    pass(3_600_000);
    await until("the dead one's is taken back", async () => (await run(dead)).state === "queued");
    expect([io.stop.aborted, (await run(id)).state]).toEqual([false, "running"]);
    end({ kind: "passed", live: { release: { folder: "1" } } });
    expect(await ended(id)).toMatchObject({ outcome: { kind: "passed" }, attempt: { number: 1 } });
    (await work(dead)).end({ kind: "passed" });
    expect(await ended(dead)).toMatchObject({ attempt: { number: 2 } });
  });

  describe("that has lost its lease", () => {
    it("breaks the work off and writes nothing about the run", async () => {
      const { check, work, database, run, lines } = await openWork({ concurrency: 1 });
      const id = await check();
      const { io, fail } = await work(id);
      await database.write(async (tx) => {
        await reap(tx, "all");
        // Somebody else has it.
        await tx.db.updateTable("run").set({ state: "running", owner: "other", attempt: 2 }).where("id", "=", id).execute();
      });
      const before = await run(id);
      database.wake.ring("stops");
      await aborted(io);
      expect(io.stop.reason).toBe("lease lost");
      fail(io.stop.reason);
      await until("its work is over", () => lines.some((line) => line.includes('"ending":"not ours"')));
      expect(await run(id)).toEqual(before);
      expect(await beat(database, { id, attempt: 2, owner: "other" })).toBe("go on");
    });

    it("cannot end it, whatever came out", async () => {
      const { check, work, database, run, lines } = await openWork({ concurrency: 1 });
      const id = await check();
      const { end } = await work(id);
      await database.write(async (tx) => {
        await reap(tx, "all");
        await tx.db.updateTable("run").set({ state: "running", owner: "other", attempt: 2 }).where("id", "=", id).execute();
      });
      const before = await run(id);
      end({ kind: "passed" });
      await until("its work is over", () => lines.some((line) => line.includes('"ending":"passed"')));
      expect(await run(id)).toEqual(before);
    });
  });

  if (storage.engine === "sqlite") {
    it("tries again to end a run when the database did not take it", async () => {
      const { deployment, work, ended, database, lines } = await openWork();
      const id = await deployment();
      const { end } = await work(id);
      await database.write((tx) =>
        sql`create trigger full before update on run when new.state = 'finished' begin select raise(abort, 'disk full'); end`.execute(
          tx.db,
        ),
      );
      end({ kind: "passed" });
      await until("it was refused", () => lines.some((line) => line.includes("was not taken by the database")));
      await database.write((tx) => sql`drop trigger full`.execute(tx.db));
      expect((await ended(id)).outcome).toEqual({ kind: "passed" });
    });
  }

  it("that is killed leaves runs which the next server takes back: checks run again, deployments are lost", async () => {
    const place = await storage.place();
    const database = await storage.openAt(place);
    const [test, deployed] = await database.write(async (tx) => {
      await rememberRepository(tx, repository);
      const ids = [await createCheck(tx, newCheck()), await createDeploymentRun(tx, newDeployment({ sha: sha(2) }))];
      await tx.db.updateTable("run").set({ state: "queued", gates: null }).execute();
      return ids.map(Number);
    });
    const from = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url));
    const source = `
      import { pino } from ${JSON.stringify(import.meta.resolve("pino"))};
      import { openDatabase } from ${from("database/connection.ts")};
      import { startWorker } from ${from("runs/worker.ts")};
      const work = async (run, io) => {
        await io.write(Buffer.from("half done\\n"));
        if (run.kind === "check") await io.remember({ item: run.id });
        console.log(run.kind);
        return new Promise(() => {});
      };
      const database = await openDatabase(${JSON.stringify(place)});
      startWorker({ database, owner: "doomed", concurrency: 2, executors: { check: work, deployment: work },
        mayStart: async () => "may start", logLimit: 1000000, log: pino({ level: "silent" }) });`;
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", source], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const begun: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      begun.push(line);
      if (begun.length === 2) child.kill("SIGKILL");
    }
    expect(begun.toSorted()).toEqual(["check", "deployment"]);
    expect(await database.write((tx) => reap(tx, "all"))).toBe(2);
    expect(await database.read((db) => findRun(db, test ?? 0))).toMatchObject({ state: "queued", earlierAttempts: 1 });
    expect(await database.read((db) => findRun(db, deployed ?? 0))).toMatchObject({ outcome: { kind: "lost" } });
  });
});
