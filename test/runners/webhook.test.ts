import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import type { Database } from "../../src/database/connection.ts";
import { createCallbacks } from "../../src/doors/callbacks.ts";
import type { CheckEnding, CheckOrder } from "../../src/runners/runner.ts";
import { problemWithReport } from "../../src/runners/webhook/report.ts";
import { webhook } from "../../src/runners/webhook/webhook.ts";
import { createCheck } from "../../src/runs/births.ts";
import { callbacksOf } from "../../src/runs/callbacks.ts";
import { keepsToTheContract } from "../contracts/runner.ts";
import { newCheck } from "../runs/scene.ts";
import { engines } from "../support/engines.ts";
import { until } from "../support/until.ts";
import { orderWith, type RecordingIo, recordingIo, sha } from "./order.ts";
import { fast } from "./pace.ts";
import { type StandIn, startStandIn } from "./stand-in.ts";

const secret = "a webhook's secret";
const secrets = { WEBHOOK: secret };
const runner = webhook(fast);
const storage = engines()[0]?.[1];

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Another CI: takes what is posted to it, and calls back when the test says so. */
async function startCi(): Promise<StandIn & { messages(): Record<string, unknown>[] }> {
  const standIn = await startStandIn(() => ({ status: 202 }));
  closers.push(standIn.close);
  return { ...standIn, messages: () => standIn.asked.map(({ body }) => JSON.parse(body)) };
}

async function openDatabase(): Promise<Database> {
  if (storage === undefined) throw new Error("There is no database");
  const database = await storage.open();
  await database.write((tx) => createCheck(tx, newCheck()));
  return database;
}

/** Of the one run that there is. */
function callbacks(database: Database) {
  return callbacksOf(database, { id: 1, attempt: 1 }, "https://ci.acme.example");
}

function call(database: Database, url: unknown, report: unknown): Promise<Response> {
  const problems = { check: problemWithReport, deployment: () => "of a deployment" };
  const door = createCallbacks({ database, problems, log: pino({ level: "silent" }), secretsFor: () => async () => null });
  return door(new Request(String(url), { method: "POST", body: JSON.stringify(report) }));
}

describe("the runner webhook", () => {
  keepsToTheContract(async () => {
    let behaviour: "passes" | "fails" | "waits" = "passes";
    const ci = await startCi();
    const database = await openDatabase();
    const ended = new Set<unknown>();
    /** Of what was sent twice this CI takes the first. */
    const taken = () => {
      const keys = ci.asked.map(({ headers }) => headers["idempotency-key"]);
      return ci.messages().filter((_message, index) => keys.indexOf(keys[index]) === index);
    };
    const works = () => {
      const messages = taken();
      const cancelled = new Set(messages.filter(({ action }) => action === "cancel").map(({ run }) => run));
      return messages.filter(({ action, run, callback }) => action === "run" && !cancelled.has(run) && !ended.has(callback));
    };
    const report = async (result: string) => {
      for (const { callback } of works()) {
        ended.add(callback);
        await call(database, callback, { result, log: "hello" });
      }
    };
    const clock = setInterval(() => {
      if (behaviour === "passes") void report("passed");
      if (behaviour === "fails") void report("failed");
    }, 10).unref();
    closers.unshift(async () => clearInterval(clock));
    const options = { url: `${ci.url}/hook`, secret: "WEBHOOK" };
    return {
      runner,
      options: (now) => {
        behaviour = now;
        return options;
      },
      order: async (more) => orderWith({ callbacks: callbacks(database), ...more }, secrets),
      release: () => report("passed"),
      working: async () => works().length,
      started: async () => taken().filter(({ action }) => action === "run").length,
      survives: true,
      refused: [
        { options: { ...options, url: "javascript:alert(1)" }, says: /^with\.url: must be an address/ },
        { options: { ...options, url: `${ci.url}/?token=x` }, says: /^with\.url: must not have a query/ },
        { options: { url: ci.url }, says: /^with\.secret: / },
      ],
      secrets: [secret],
    };
  });

  describe("with another CI", () => {
    let ci: Awaited<ReturnType<typeof startCi>>;
    let database: Database;
    let io: RecordingIo;
    let stopping: AbortController;
    beforeEach(async () => {
      ci = await startCi();
      database = await openDatabase();
      stopping = new AbortController();
      io = recordingIo({ stop: stopping.signal });
    });

    const run = (order: Partial<CheckOrder> = {}): Promise<CheckEnding> =>
      runner.run(
        { url: `${ci.url}/hook`, secret: "WEBHOOK" },
        orderWith({ callbacks: callbacks(database), ...order }, secrets),
        io,
      );
    const posted = async () => until("it is posted", () => ci.messages()[0]);

    it("is told what to run and where to call back, and knows that it is us", async () => {
      const check = run();
      const { callback, ...message } = await posted();
      await call(database, callback, { result: "passed" });
      await check;

      expect(message).toEqual({
        action: "run",
        run: "https://ci.acme.example/acme/shop/runs/7",
        check: "e2e",
        repository: { owner: "acme", name: "shop", clone_url: "https://github.com/acme/shop.git" },
        sha,
        ref: "round-half-up",
        pull_request: 12,
        timeout: 60,
      });
      expect(callback).toMatch(/^https:\/\/ci\.acme\.example\/-\/callbacks\/[\w-]{43}$/);
      const [first] = ci.asked;
      const timestamp = Number(first?.headers["x-signalbox-timestamp"]);
      expect(Math.abs(Date.now() / 1_000 - timestamp)).toBeLessThan(60);
      const signature = createHmac("sha256", secret).update(`${timestamp}.${first?.body}`).digest("hex");
      expect(first?.headers["x-signalbox-signature"]).toBe(`sha256=${signature}`);
    });

    it("shows what comes with the result", async () => {
      const check = run();
      const { callback } = await posted();
      await call(database, callback, {
        result: "failed",
        what: "3 of 40 tests\nand more",
        log: "one\ntwo\n",
        url: "https://ci.example.com/b/1",
      });

      expect(await check).toEqual({ kind: "failed", what: "3 of 40 tests" });
      expect(io.log.slice(1)).toEqual(["one", "two", "https://ci.example.com/b/1", "< null"]);
    });

    it("keeps the callback's address to itself: it is not remembered, and the database has its hash alone", async () => {
      const check = run();
      const { callback } = await posted();
      await until("it is remembered", () => io.kept() !== null);
      const token = String(callback).split("/").at(-1) ?? "";
      const rows = await database.read((db) => db.selectFrom("callback").selectAll().execute());
      await call(database, callback, { result: "passed" });
      await check;

      expect(JSON.stringify([io.kept(), rows, io.log])).not.toContain(token);
    });

    it("hears a result that came while we were away", async () => {
      const broken = run();
      const { callback } = await posted();
      await until("it is remembered", () => io.kept() !== null);
      stopping.abort("shutdown");
      await expect(broken).rejects.toBe("shutdown");
      expect((await call(database, callback, { result: "passed" })).status).toBe(200);
      io = recordingIo({ remembered: io.kept() });

      expect(await run()).toEqual({ kind: "passed" });
      expect(ci.asked).toHaveLength(1);
    });

    it("sends the same address again when the other CI could not say that it took it", async () => {
      ci.fault(/hook/, { status: 500 });
      const check = run();
      await until("it is sent again", () => ci.asked.length === 2);
      const [first, second] = ci.messages();
      await call(database, first?.callback, { result: "passed" });

      expect(await check).toEqual({ kind: "passed" });
      expect(second).toEqual(first);
    });

    it.each([
      [{ status: 404 }, /^127\.0\.0\.1:\d+ answered 404 when asked to run the check$/],
      [{ status: 401 }, /does not accept the credentials$/],
      [{ status: 302, headers: { location: "https://elsewhere.example.com/" } }, /answered with a redirect \(302\)/],
    ])("says when it is refused: %j", async (answer, what) => {
      ci.fault(/hook/, answer);

      expect(await run()).toMatchObject({ kind: "errored", what: expect.stringMatching(what) });
      expect(ci.asked).toHaveLength(1);
    });

    it("tells the other CI that the result is not wanted any more, and bears that it does not care", async () => {
      const check = run();
      await posted();
      await until("it is remembered", () => io.kept() !== null);
      ci.fault(/hook/, { status: 405 });
      stopping.abort("superseded");

      await expect(check).rejects.toBe("superseded");
      const [, cancel] = ci.messages();
      expect(cancel).toMatchObject({ action: "cancel", run: "https://ci.acme.example/acme/shop/runs/7" });
      expect(cancel).not.toHaveProperty("callback");
      expect(io.log.join("\n")).toMatch(/The build could not be stopped: .* answered 405/);
    });

    it("is told nothing where the secret is missing", async () => {
      expect(await run({ secret: async () => null })).toMatchObject({ kind: "errored", what: 'the secret "WEBHOOK" is not set' });
      expect(ci.asked).toEqual([]);
    });
  });
});
