import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { jenkins } from "../../src/runners/jenkins/jenkins.ts";
import type { CheckEnding, CheckOrder } from "../../src/runners/runner.ts";
import { keepsToTheContract, type RunnerWorld } from "../contracts/runner.ts";
import { until } from "../support/until.ts";
import { credentials, type JenkinsRules, type JenkinsServer, startJenkins } from "./jenkins-server.ts";
import { orderWith, type RecordingIo, recordingIo, sha } from "./order.ts";
import { fast } from "./pace.ts";

const servers: JenkinsServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function start(rules: JenkinsRules = {}): Promise<JenkinsServer> {
  const server = await startJenkins(rules);
  servers.push(server);
  return server;
}

const runner = jenkins(fast);
const secrets = { JENKINS_TOKEN: credentials };

describe("the runner jenkins", () => {
  keepsToTheContract(async (): Promise<RunnerWorld> => {
    let behaviour: "passes" | "fails" | "waits" = "passes";
    const server = await start();
    // What Jenkins does by itself, whenever it is asked something.
    const clock = setInterval(() => {
      for (const item of server.items) {
        if (item.state !== "waiting") continue;
        const build = server.begin("hello\n");
        if (behaviour === "passes") build.result = "SUCCESS";
        if (behaviour === "fails") build.result = "FAILURE";
      }
    }, 10).unref();
    const close = server.close;
    servers.splice(servers.indexOf(server), 1, {
      ...server,
      close: () => {
        clearInterval(clock);
        return close();
      },
    });
    const options = { url: server.url, job: "team/shop-e2e", credentials: "JENKINS_TOKEN" };
    return {
      runner,
      options: (now) => {
        behaviour = now;
        return options;
      },
      order: async (more) => orderWith(more, secrets),
      release: async () => {
        for (const build of server.builds) build.result ??= "SUCCESS";
      },
      working: async () => server.builds.filter((build) => build.result === null).length,
      started: async () => server.items.length,
      survives: true,
      refused: [
        { options: { ...options, url: "ftp://jenkins.example.com" }, says: /^with\.url: must be an address/ },
        {
          options: { ...options, url: "https://a:b@jenkins.example.com" },
          says: /^with\.url: must not contain a user or password/,
        },
        { options: { ...options, job: "team/../admin" }, says: /^with\.job: must be the name of a job/ },
        { options: { ...options, job: "nothing-like-it" }, says: /^with\.job: Jenkins has no job "nothing-like-it"/ },
        { options: { ...options, credentials: credentials }, says: /^with\.credentials: must be the name of a secret/ },
        { options: { ...options, parameters: { SIGNALBOX_SHA: "x" } }, says: /SIGNALBOX_/ },
        { options: { ...options, parameters: { colour: "red" } }, says: /does not declare colour$/ },
      ],
      secrets: [credentials, credentials.split(":")[1] ?? "", Buffer.from(credentials).toString("base64")],
    };
  });

  describe("with Jenkins", () => {
    let server: JenkinsServer;
    let io: RecordingIo;
    beforeEach(async () => {
      server = await start();
      io = recordingIo();
    });

    const run = (
      more: Readonly<Record<string, unknown>> = {},
      order: CheckOrder = orderWith({}, secrets),
    ): Promise<CheckEnding> =>
      runner.run({ url: server.url, job: "team/shop-e2e", credentials: "JENKINS_TOKEN", ...more }, order, io);
    const waits = () => until("it waits in the queue", () => server.items.some((item) => item.state === "waiting"));

    it("tells the job what to build, and what the file's author adds", async () => {
      const check = run({ parameters: { browser: "fire fox&co" } });
      await waits();
      server.begin().result = "SUCCESS";

      expect(await check).toEqual({ kind: "passed" });
      expect(Object.fromEntries(server.items[0]?.parameters ?? [])).toEqual({
        browser: "fire fox&co",
        SIGNALBOX_REPOSITORY: "acme/shop",
        SIGNALBOX_SHA: sha,
        SIGNALBOX_REF: "round-half-up",
        SIGNALBOX_PULL_REQUEST: "12",
        SIGNALBOX_CHECK: "e2e",
        SIGNALBOX_RUN: "https://ci.acme.example/acme/shop/runs/7?attempt=1",
      });
    });

    it("shows why it waits, and the console as it grows, each line once", async () => {
      const check = run();
      await until("why it waits", () => io.log.includes("In the quiet period. Expires in 2.4 sec"));
      const build = server.begin("one\ntw");
      await until("the first line", () => io.log.includes("one"));
      build.console += "o\nthree";
      await until("the second line", () => io.log.includes("two"));
      build.result = "SUCCESS";
      await check;

      expect(io.log).toEqual([
        "> Wait for team/shop-e2e in Jenkins",
        "In the quiet period. Expires in 2.4 sec",
        "< null",
        "> team/shop-e2e #35",
        "https://jenkins.example.com/job/team/job/shop-e2e/35/",
        "one",
        "two",
        "three",
        "< null",
      ]);
    });

    it.each([
      ["UNSTABLE", { kind: "failed", what: "team/shop-e2e #35 is unstable" }],
      ["FAILURE", { kind: "failed", what: "team/shop-e2e #35 failed" }],
      ["ABORTED", { kind: "errored", what: "team/shop-e2e #35 was aborted in Jenkins", fix: "Run it again" }],
      ["NOT_BUILT", { kind: "errored", what: "team/shop-e2e #35 was not built by Jenkins", fix: "Run it again" }],
    ] as const)("knows what %s means", async (result, ending) => {
      const check = run();
      await waits();
      server.begin().result = result;

      expect(await check).toEqual(ending);
    });

    it("ends when somebody cancels it in Jenkins' queue", async () => {
      const check = run();
      await waits();
      server.cancelWaiting();

      expect(await check).toMatchObject({ kind: "errored", what: "team/shop-e2e was cancelled in Jenkins' queue" });
    });

    it("ends when the build disappears", async () => {
      const check = run();
      await waits();
      const build = server.begin();
      await until("the build is followed", () => io.log.includes("hello"));
      build.exists = false;

      expect(await check).toMatchObject({ kind: "errored", what: "team/shop-e2e #35 does not exist in Jenkins any more" });
    });

    it("ends when the queue item disappears and no build comes of it", async () => {
      const check = run();
      await waits();
      server.forget(39);

      expect(await check).toMatchObject({
        kind: "errored",
        what: "Jenkins does not know the queue item of team/shop-e2e any more",
      });
    });

    it("finds the build of a queue item that Jenkins has forgotten while we were away", async () => {
      const stopping = new AbortController();
      io = recordingIo({ stop: stopping.signal });
      const broken = run();
      await until("it is remembered", () => JSON.stringify(io.kept())?.includes('"item":39'));
      stopping.abort("shutdown");
      await expect(broken).rejects.toBe("shutdown");
      server.begin().result = "SUCCESS";
      server.forget(39);
      io = recordingIo({ remembered: io.kept() });

      expect(await run()).toEqual({ kind: "passed" });

      expect([server.items.length, io.log.includes("hello")]).toEqual([1, true]);
    });

    it.each(["waits", "works already"])("finds what it asked for when the answer got lost: the build %s", async (state) => {
      server.fault(/buildWithParameters/, "lost");
      const check = run();
      await waits();
      if (state === "works already") server.begin();
      await until("it looks again", () => server.asked.some(({ path }) => path === "/jenkins/queue/api/json"));
      const build = server.builds[0] ?? server.begin();
      build.result = "SUCCESS";

      expect(await check).toEqual({ kind: "passed" });
      expect(server.items).toHaveLength(1);
    });

    it("builds a job without parameters, and warns that Jenkins chooses the commit", async () => {
      server = await start({ parameters: false, ends: { console: "", result: "SUCCESS" } });

      expect(await run()).toEqual({ kind: "passed" });

      expect(io.log[1]).toBe(
        "Warning: team/shop-e2e does not declare the parameter SIGNALBOX_SHA, so Jenkins decides which commit it builds",
      );
    });

    it("does without crumbs where Jenkins has none", async () => {
      server = await start({ crumbs: false, ends: { console: "", result: "SUCCESS" } });

      expect(await run()).toEqual({ kind: "passed" });
    });

    it("has its token taken out of the log, where Jenkins could print it", async () => {
      server = await start({ ends: { console: "", result: "SUCCESS" } });
      await run();

      expect(io.concealed).toEqual([credentials.split(":")[1]]);
    });

    it("does not start a disabled job", async () => {
      server = await start({ buildable: false });

      expect(await run()).toEqual({
        kind: "errored",
        what: "the job team/shop-e2e is disabled in Jenkins",
        fix: "Enable it there",
      });
    });

    it("says when its crumb is refused", async () => {
      server.fault(/^GET \/jenkins\/crumbIssuer/, { status: 404 });

      expect(await run()).toEqual({
        kind: "errored",
        what: "Jenkins refuses to build team/shop-e2e: the credentials may not do that",
        fix: "Give them the right in Jenkins",
      });
    });

    it.each([
      [{}, 'the secret "JENKINS_TOKEN" is not set', "Set it: signalbox secret set acme/shop JENKINS_TOKEN"],
      [{ JENKINS_TOKEN: "only-a-token" }, 'the secret "JENKINS_TOKEN" must be USER:TOKEN', /signalbox secret set/],
      [{ JENKINS_TOKEN: "somebody:else" }, "Jenkins does not accept the credentials", /signalbox secret set/],
    ])("says what is wrong with the credentials: %j", async (held, what, fix) => {
      expect(await run({}, orderWith({}, held as Record<string, string>))).toEqual({
        kind: "errored",
        what,
        fix: expect.stringMatching(fix),
      });
      expect(server.items).toEqual([]);
    });

    it.each([
      ["a 500", { status: 500 }],
      ["a 503", { status: 503 }],
      ["too many requests", { status: 429, headers: { "retry-after": "0" } }],
      ["a connection that is cut", "cut"],
      ["an answer that breaks off", "half"],
    ] as const)("lives through %s, wherever it comes", async (_name, fault) => {
      server = await start({ ends: { console: "one\ntwo\nthree\n", result: "SUCCESS" } });
      for (const path of [/crumbIssuer/, /GET .*shop-e2e\/api/, /queue\/item/, /35\/api/, /progressiveText/])
        server.fault(path, fault);

      expect(await run()).toEqual({ kind: "passed" });

      expect(io.log.filter((line) => !/^[<>] |; trying again$|^https:|^In the quiet/.test(line))).toEqual([
        "one",
        "two",
        "three",
      ]);
      expect(server.items).toHaveLength(1);
    });

    it("asks again when the request for the build is refused or lost", async () => {
      server = await start({ ends: { console: "", result: "SUCCESS" } });
      server.fault(/buildWithParameters/, { status: 503 });
      server.fault(/buildWithParameters/, "cut");

      expect(await run()).toEqual({ kind: "passed" });

      expect(io.log[1]).toBe("Jenkins answered 503 when asked to build team/shop-e2e; trying again");
      expect(server.items).toHaveLength(1);
    });

    it("does not come back before it is told to", async () => {
      server.fault(/queue\/item/, { status: 429, headers: { "retry-after": "3600" } });

      await expect(run()).rejects.toMatchObject({
        retryable: true,
        message: "Jenkins answered 429 when asked to show its queue",
      });

      expect(server.asked.filter(({ path }) => /queue\/item/.test(path))).toHaveLength(1);
    });

    it("gives up for now when Jenkins stays away, and finds the build the next time", async () => {
      const impatient = jenkins({ ...fast, patience: 50 });
      const options = { url: server.url, job: "team/shop-e2e", credentials: "JENKINS_TOKEN" };
      server.fault(/queue\/item/, { status: 502 }, 100);

      await expect(impatient.run(options, orderWith({}, secrets), io)).rejects.toMatchObject({
        retryable: true,
        message: "Jenkins answered 502 when asked to show its queue",
      });
      expect(io.log.at(-1)).toBe("< null");

      server.begin().result = "SUCCESS";
      server.mend();
      const after = recordingIo({ remembered: io.kept() });
      expect(await runner.run(options, orderWith({}, secrets), after)).toEqual({ kind: "passed" });
      expect(server.items).toHaveLength(1);
    });

    it("does not wait for ever for an answer", async () => {
      server.fault(/queue\/item/, "silent");
      const check = jenkins({ ...fast, request: 100 }).run(
        { url: server.url, job: "team/shop-e2e", credentials: "JENKINS_TOKEN" },
        orderWith({}, secrets),
        io,
      );
      await until("the second look", () => server.asked.filter(({ path }) => /queue\/item/.test(path)).length > 1);
      server.begin().result = "SUCCESS";

      expect(await check).toEqual({ kind: "passed" });
      expect(io.log.join("\n")).toMatch(/Jenkins: 127\.0\.0\.1:\d+ did not answer within 0\.1 s; trying again/);
    });

    it("cancels what waits in the queue", async () => {
      const stopping = new AbortController();
      io = recordingIo({ stop: stopping.signal });
      const check = run();
      await waits();
      stopping.abort("superseded");

      await expect(check).rejects.toBe("superseded");
      expect(server.items.map((item) => item.state)).toEqual(["cancelled"]);
    });

    it("stops what leaves the queue just when it is cancelled", async () => {
      const stopping = new AbortController();
      io = recordingIo({ stop: stopping.signal });
      const check = run();
      await waits();
      server.begin();
      stopping.abort("superseded");

      await expect(check).rejects.toBe("superseded");
      expect(server.builds.map((build) => build.result)).toEqual(["ABORTED"]);
    });

    it("cancels a build that is being asked for at that moment", async () => {
      const stopping = new AbortController();
      io = recordingIo({ stop: stopping.signal });
      const asks = () => server.asked.some(({ path }) => path.endsWith("buildWithParameters"));
      const check = run().catch((error) => error);
      while (!asks()) await new Promise(setImmediate);
      stopping.abort("superseded");

      expect(await check).toBe("superseded");
      expect(server.items.map((item) => item.state)).toEqual(["cancelled"]);
    });

    it("says so when a build cannot be stopped", async () => {
      const stopping = new AbortController();
      io = recordingIo({ stop: stopping.signal });
      const check = run();
      await waits();
      server.begin();
      await until("the build is followed", () => io.log.includes("hello"));
      server.fault(/\/stop$/, { status: 403 });
      stopping.abort("superseded");

      await expect(check).rejects.toBe("superseded");
      expect(io.log).toContain(
        "The build could not be stopped: Jenkins refuses to stop team/shop-e2e #35: the credentials may not do that. Stop it there",
      );
    });

    it("keeps the check's time through a restart", async () => {
      const remembered = { startedAt: Date.now() - 60_000, handle: { item: 39, number: null } };
      io = recordingIo({ remembered });

      expect(await run({}, orderWith({ timeout: 50_000 }, secrets))).toEqual({ kind: "failed", what: "timed out after 50 s" });
    });

    it("is refused an address of the server's own machine", async () => {
      const order = orderWith({}, secrets);
      const blocked = { ...order, fetch: (_url: string, init = {}) => order.fetch("http://169.254.169.254/", init) };

      expect(await run({}, blocked)).toMatchObject({
        kind: "errored",
        what: expect.stringMatching(/^Jenkins: .* OUTBOUND_ALLOW$/),
      });
    });

    it("understands an answer that is none of Jenkins'", async () => {
      server.fault(/shop-e2e\/api/, { body: "<html>Sign in</html>" });

      expect(await run()).toMatchObject({
        kind: "errored",
        what: "Jenkins answered with something else than its documentation says",
      });
    });
  });
});
