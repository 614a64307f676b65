import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { type CheckMeans, executeCheck } from "../../src/checks/execute.ts";
import type { Database } from "../../src/database/connection.ts";
import { rememberRepository } from "../../src/github/repository.ts";
import type { CheckPlan } from "../../src/repository-file/repository-file.ts";
import { jenkins } from "../../src/runners/jenkins/jenkins.ts";
import type { AnyRunner, CheckEnding, CheckIo, CheckOrder } from "../../src/runners/runner.ts";
import { createCheck } from "../../src/runs/births.ts";
import { readLines } from "../../src/runs/log.ts";
import { cancel } from "../../src/runs/queue.ts";
import { findRun } from "../../src/runs/read.ts";
import type { Run } from "../../src/runs/run.ts";
import { startWorker, type Worker } from "../../src/runs/worker.ts";
import { mayAlwaysStart, newCheck, repository, sha } from "../runs/scene.ts";
import { engines } from "../support/engines.ts";
import { noImages } from "../support/no-images.ts";
import { until } from "../support/until.ts";
import { credentials, type JenkinsServer, startJenkins } from "./jenkins-server.ts";
import { fast } from "./pace.ts";

const token = credentials.split(":")[1] ?? "";

const storage = engines()[0]?.[1];

describe("a check by way of its runner", () => {
  let database: Database;
  let workers: Worker[];
  beforeEach(async () => {
    workers = [];
    if (storage === undefined) throw new Error("There is no database");
    database = await storage.open();
    await database.write((tx) => rememberRepository(tx, repository));
  });
  afterEach(async () => {
    for (const worker of workers) await worker.stop(0);
  });

  const work = (runner: AnyRunner, more: Partial<CheckMeans> = {}): Worker => {
    const means: CheckMeans = {
      database,
      settings: { publicUrl: "https://ci.acme.example", outboundAllow: [{ host: "127.0.0.1", port: null }] },
      // A runner elsewhere that wanted a check-out would end here.
      workspaces: { with: () => Promise.reject(new Error("It is checked out")), clear: async () => {} },
      runners: new Map([[runner.name, runner]]),
      images: noImages,
      sandbox: { kind: "none" },
      mark: {},
      toolsPaths: [],
      gitSource: ({ id, cloneUrl }) => ({ id, cloneUrl, token: async () => null }),
      secretsFor:
        ({ owner, name }) =>
        async (secret) =>
          `${owner}/${name}` === "acme/shop" ? ({ JENKINS_TOKEN: credentials, OTHER: "another secret" }[secret] ?? null) : null,
      ...more,
    };
    const worker = startWorker({
      database,
      owner: `worker-${workers.length}`,
      concurrency: 2,
      executors: {
        check: (run, io) => executeCheck(means, run, io),
        deployment: () => Promise.reject(new Error("There are none here")),
      },
      mayStart: mayAlwaysStart,
      logLimit: 1_000_000,
      log: pino({ level: "silent" }),
    });
    workers.push(worker);
    return worker;
  };

  async function ask(plan: Partial<CheckPlan>): Promise<number> {
    const whole = { runner: "local", with: {}, steps: [], timeout: 60_000, paths: null, env: {}, ...plan };
    const id = await database.write((tx) => createCheck(tx, newCheck({ configuration: whole })));
    if (id === null) throw new Error("The run existed already");
    return id;
  }

  async function found(id: number): Promise<Run> {
    const run = await database.read((db) => findRun(db, id));
    if (run === null) throw new Error(`There is no run ${id}`);
    return run;
  }

  const ending = (id: number) =>
    until("the run ends", async () => {
      const run = await found(id);
      return run.state === "finished" && run.outcome;
    });

  /** A runner that only the test knows. */
  const runnerThat = (name: string, run: (order: CheckOrder, io: CheckIo) => Promise<CheckEnding>): AnyRunner => ({
    name,
    options: jenkins().options,
    run: (_options, order, io) => run(order, io),
  });

  describe("with Jenkins", () => {
    let server: JenkinsServer;
    beforeEach(async () => {
      server = await startJenkins();
    });
    afterEach(() => server.close());
    const plan = () => ({ runner: "jenkins", with: { url: server.url, job: "team/shop-e2e", credentials: "JENKINS_TOKEN" } });
    const waits = () => until("it waits in the queue", () => server.items.some(({ state }) => state === "waiting"));

    it("needs no check-out, and is known by the address of its page", async () => {
      work(jenkins(fast));
      const id = await ask(plan());
      await waits();
      server.begin().result = "SUCCESS";

      expect(await ending(id)).toEqual({ kind: "passed" });
      expect(server.items[0]?.parameters?.get("SIGNALBOX_RUN")).toBe(`https://ci.acme.example/acme/shop/runs/${id}?attempt=1`);
    });

    it("is found again by the next server, in another attempt with the whole console", async () => {
      const first = work(jenkins(fast));
      const id = await ask(plan());
      await waits();
      const build = server.begin("one\n");
      await until("it is remembered", async () => JSON.stringify(await found(id)).includes(`"number":${build.number}`));
      await first.stop(0);
      expect((await found(id)).state).toBe("queued");
      build.console += "two\n";
      build.result = "SUCCESS";
      work(jenkins(fast));

      expect(await ending(id)).toEqual({ kind: "passed" });
      expect(server.items).toHaveLength(1);
      expect(await found(id)).toMatchObject({ attempt: { number: 2 } });
    });

    it("is stopped there when it is cancelled here, and is cancelled then", async () => {
      work(jenkins(fast));
      const id = await ask(plan());
      await waits();
      const build = server.begin();
      await database.write((tx) => cancel(tx, id, { kind: "closed", pullRequest: 12 }));

      expect(await ending(id)).toEqual({ kind: "cancelled", because: { kind: "closed", pullRequest: 12 } });
      expect(build.result).toBe("ABORTED");
    });

    it("is stopped there when it is cancelled while no server works, by the next one", async () => {
      const first = work(jenkins(fast));
      const id = await ask(plan());
      await waits();
      const build = server.begin();
      await until("it is remembered", async () => JSON.stringify(await found(id)).includes(`"number":${build.number}`));
      await first.stop(0);
      await database.write((tx) => cancel(tx, id, { kind: "closed", pullRequest: 12 }));
      expect(await found(id)).toMatchObject({ state: "queued", stop: { kind: "closed" } });
      expect(build.result).toBeNull();
      work(jenkins(fast));

      expect(await ending(id)).toEqual({ kind: "cancelled", because: { kind: "closed", pullRequest: 12 } });
      expect([build.result, server.items.length]).toEqual(["ABORTED", 1]);
    });

    it("is out of reach on the server's own machine, unless the operator allows it", async () => {
      work(jenkins(fast), { settings: { publicUrl: "https://ci.acme.example", outboundAllow: [] } });
      const id = await ask(plan());

      expect(await ending(id)).toMatchObject({ kind: "errored", what: expect.stringMatching(/OUTBOUND_ALLOW/) });
      expect(server.asked).toEqual([]);
    });

    it("keeps its credentials out of everything that is stored", async () => {
      work(jenkins(fast));
      const id = await ask(plan());
      await waits();
      server.begin(`a job that prints ${credentials}, and ${token} alone\n`).result = "FAILURE";
      await ending(id);

      const stored = await database.read(async (db) => [
        await db.selectFrom("run").selectAll().execute(),
        await db.selectFrom("attempt").selectAll().execute(),
        await db.selectFrom("step").selectAll().execute(),
        await readLines(db, { run: id, attempt: 1, from: 1, to: 100 }),
      ]);
      expect(JSON.stringify(stored)).not.toContain(token);
      expect(JSON.stringify(stored)).toContain("a job that prints ***, and *** alone");
    });
  });

  it("tells a runner only the secrets that the check names", async () => {
    const told: unknown[] = [];
    const runner = runnerThat("curious", async (order) => {
      for (const name of ["JENKINS_TOKEN", "OTHER", "toString"]) told.push(await order.secret(name));
      return { kind: "passed" };
    });
    work(runner);
    await ending(await ask({ runner: "curious", with: { credentials: "JENKINS_TOKEN", job: "MISSING" } }));

    expect(told).toEqual([credentials, null, null]);
  });

  it("tells what runs on this machine no secret at all", async () => {
    const told: unknown[] = [];
    const runner = runnerThat("local", async (order) => {
      told.push(await order.secret("JENKINS_TOKEN"));
      return { kind: "passed" };
    });
    work(runner);
    await ending(await ask({ with: { credentials: "JENKINS_TOKEN" } }));

    expect(told).toEqual([null]);
  });

  it("tells every runner what is checked", async () => {
    let told: CheckOrder | null = null;
    work(
      runnerThat("curious", async (order) => {
        told = order;
        return { kind: "passed" };
      }),
    );
    const id = await ask({ runner: "curious" });
    await ending(id);

    const link = `https://ci.acme.example/acme/shop/runs/${id}`;
    expect(told).toMatchObject({
      name: "test",
      commit: { owner: "acme", name: "shop", sha: sha(1), ref: "feature", pullRequest: 12, cloneUrl: repository.cloneUrl },
      link,
      facts: {
        SIGNALBOX_REPOSITORY: "acme/shop",
        SIGNALBOX_SHA: sha(1),
        SIGNALBOX_REF: "feature",
        SIGNALBOX_PULL_REQUEST: "12",
        SIGNALBOX_CHECK: "test",
        SIGNALBOX_RUN: link,
      },
    });
  });

  it.each([
    ["ends", "410", (id: number) => ending(id)],
    [
      "is cancelled",
      "410",
      async (id: number) => {
        await database.write((tx) => cancel(tx, id, { kind: "by hand", by: "mira" }));
        await ending(id);
      },
    ],
    ["is put back because the server stops", "open", () => workers[0]?.stop(0)],
  ])("when it %s, its callbacks are: %s", async (how, state, happens) => {
    const opened = Promise.withResolvers<void>();
    work(
      runnerThat("waiting", async (order, io) => {
        await order.callbacks.open();
        opened.resolve();
        if (how === "ends") return { kind: "passed" };
        return new Promise((_, reject) => io.stop.addEventListener("abort", () => reject(io.stop.reason)));
      }),
    );
    const id = await ask({ runner: "waiting" });
    await opened.promise;
    await happens(id);

    const rows = await database.read((db) => db.selectFrom("callback").select("arrived_at").execute());
    expect(rows.map((row) => (row.arrived_at === null ? "open" : "410"))).toEqual([state]);
  });

  it("says what is wrong when the check-out fails", async () => {
    work(
      runnerThat("local", async (order) => {
        await order.checkOut();
        return { kind: "passed" };
      }),
    );

    expect(await ending(await ask({}))).toMatchObject({ kind: "errored", what: "Signalbox itself failed" });
  });
});
