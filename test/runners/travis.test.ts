import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { CheckEnding, CheckOrder } from "../../src/runners/runner.ts";
import { travis } from "../../src/runners/travis/travis.ts";
import { keepsToTheContract } from "../contracts/runner.ts";
import { until } from "../support/until.ts";
import { orderWith, type RecordingIo, recordingIo, sha } from "./order.ts";
import { fast } from "./pace.ts";
import { end, startTravis, type TravisServer, token } from "./travis-server.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(): Promise<TravisServer> {
  const server = await startTravis();
  closers.push(server.close);
  return server;
}

const runner = travis(fast);
const secrets = { TRAVIS_TOKEN: token };

describe("the runner travis", () => {
  keepsToTheContract(async () => {
    let behaviour: "passes" | "fails" | "waits" = "passes";
    const server = await start();
    // What Travis CI does by itself.
    const clock = setInterval(() => {
      if (server.builds.length === server.requests.length) return;
      const build = server.begin();
      if (behaviour === "passes") end(build, "passed");
      if (behaviour === "fails") end(build, "failed");
    }, 10).unref();
    closers.push(async () => clearInterval(clock));
    const options = { token: "TRAVIS_TOKEN", endpoint: server.url };
    return {
      runner,
      options: (now) => {
        behaviour = now;
        return options;
      },
      order: async (more) => orderWith(more, secrets),
      release: async () => {
        for (const build of server.builds) end(build, "passed");
      },
      working: async () => server.builds.filter(({ state }) => state === "started").length,
      started: async () => server.requests.length,
      survives: true,
      refused: [
        { options: { ...options, endpoint: "travis-ci.com" }, says: /^with\.endpoint: must be an address/ },
        { options: { endpoint: server.url }, says: /^with\.token: / },
        { options: { ...options, token: "zyx-travis-token" }, says: /^with\.token: must be the name of a secret/ },
      ],
      secrets: [token],
    };
  });

  describe("with Travis CI", () => {
    let server: TravisServer;
    let io: RecordingIo;
    let stopping: AbortController;
    beforeEach(async () => {
      server = await start();
      stopping = new AbortController();
      io = recordingIo({ stop: stopping.signal });
    });

    const run = (order: CheckOrder = orderWith({}, secrets)): Promise<CheckEnding> =>
      runner.run({ token: "TRAVIS_TOKEN", endpoint: server.url }, order, io);
    const asked = () => until("it is asked for a build", () => server.requests.length > 0);

    it("is asked for the very commit", async () => {
      const check = run();
      await asked();
      end(server.begin(), "passed");

      expect(await check).toEqual({ kind: "passed" });
      expect(server.requests.map(({ body }) => body)).toEqual([
        {
          request: {
            branch: "round-half-up",
            sha,
            message: "Signalbox: e2e (https://ci.acme.example/acme/shop/runs/7?attempt=1)",
          },
        },
      ]);
    });

    it("shows the log of each job when the job has ended", async () => {
      const check = run();
      await asked();
      const build = server.begin();
      build.jobs.push({ id: 77, number: "41.2", state: "started", log: "second\n" });
      const [first] = build.jobs;
      if (first !== undefined) first.state = "passed";
      await until("the first log", () => io.log.includes("hello"));
      expect(io.log).not.toContain("second");
      end(build, "passed");
      await check;

      expect(io.log).toEqual([
        "> Ask Travis CI for a build",
        "< null",
        "> Travis CI build 41",
        "< null",
        "> Job 41.1",
        "hello",
        "< null",
        "> Job 41.2",
        "second",
        "< null",
      ]);
      expect(server.asked.filter(({ path }) => path.endsWith("log.txt"))).toHaveLength(2);
    });

    it.each([
      ["failed", { kind: "failed", what: "Travis CI build 41 failed" }],
      ["errored", { kind: "failed", what: "Travis CI build 41 broke before its script" }],
      ["canceled", { kind: "errored", what: "Travis CI build 41 was cancelled on Travis CI", fix: "Run it again" }],
    ] as const)("knows what %s means", async (state, ending) => {
      const check = run();
      await asked();
      end(server.begin(), state);

      expect(await check).toEqual(ending);
    });

    it("says why there is no build", async () => {
      const check = run();
      await asked();
      server.reject();

      expect(await check).toEqual({ kind: "failed", what: "Travis CI makes no build of this commit: branch excluded" });
    });

    it("waits until Travis CI has got round to the request", async () => {
      const check = run();
      await asked();
      server.hesitate();
      await until("it is told", () => io.log.includes("Travis CI does not know the request yet; trying again"));
      end(server.begin(), "passed");

      expect(await check).toEqual({ kind: "passed" });
    });

    it("ends when the build disappears", async () => {
      const check = run();
      await asked();
      const build = server.begin();
      await until("the build is followed", () => io.log.includes("> Travis CI build 41"));
      build.exists = false;

      expect(await check).toMatchObject({ kind: "errored", what: "the build does not exist on Travis CI any more" });
    });

    it("does without a log that it may not see", async () => {
      const check = run();
      await asked();
      const build = server.begin();
      for (const job of build.jobs) job.log = null;
      end(build, "passed");

      expect(await check).toEqual({ kind: "passed" });
      expect(io.log).toContain("Travis CI does not show this log (404)");
    });

    it.each([
      [{ TRAVIS_TOKEN: "wrong" }, "Travis CI refuses to build the commit: the credentials may not do that"],
      [{}, 'the secret "TRAVIS_TOKEN" is not set'],
    ])("says what is wrong with the token: %j", async (held, what) => {
      expect(await run(orderWith({}, held as Record<string, string>))).toMatchObject({ kind: "errored", what });
    });

    it("says when Travis CI does not know the repository", async () => {
      server.fault(/requests/, { status: 404 });

      expect(await run()).toEqual({ kind: "failed", what: "Travis CI does not know acme/shop, or the token may not see it" });
    });

    it("tries again later when the repository's requests of this hour are used up", async () => {
      server.fault(/requests/, { status: 429, headers: { "retry-after": "3600" } });

      await expect(run()).rejects.toMatchObject({
        retryable: true,
        message: "Travis CI answered 429 when asked to build the commit",
      });
    });

    it.each([
      ["a 500", { status: 500 }],
      ["a connection that is cut", "cut"],
      ["an answer that breaks off", "half"],
    ] as const)("lives through %s, wherever it comes", async (_name, fault) => {
      for (const path of [/request\/\d/, /GET \/build\/\d+$/, /jobs$/, /log\.txt/]) server.fault(path, fault);
      const check = run();
      await asked();
      end(server.begin(), "passed");

      expect(await check).toEqual({ kind: "passed" });
      expect(io.log.filter((line) => line === "hello" || line === "> Job 41.1")).toEqual(["> Job 41.1", "hello"]);
      expect(server.requests).toHaveLength(1);
    });

    it("is cancelled while it waits for its build: as soon as there is one", async () => {
      const check = run().catch((error) => error);
      await until("it is remembered", () => io.kept() !== null);
      stopping.abort("superseded");
      const build = server.begin();

      expect(await check).toBe("superseded");
      expect(build.state).toBe("canceled");
    });

    it("is cancelled when the build has just ended", async () => {
      const check = run().catch((error) => error);
      await asked();
      const build = server.begin();
      await until("the build is followed", () => io.log.includes("> Travis CI build 41"));
      stopping.abort("superseded");
      end(build, "passed");

      expect(await check).toBe("superseded");
    });
  });
});
