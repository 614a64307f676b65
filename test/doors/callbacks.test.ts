import { beforeEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { pino } from "pino";
import type { Database } from "../../src/database/connection.ts";
import { createCallbacks } from "../../src/doors/callbacks.ts";
import { rememberRepository } from "../../src/github/repository.ts";
import { problemWithReport } from "../../src/runners/webhook/report.ts";
import { createCheck, createDeploymentRun } from "../../src/runs/births.ts";
import { callbacksOf, closeCallbacks } from "../../src/runs/callbacks.ts";
import { secretKey } from "../../src/secrets/key.ts";
import { readSecret, setSecret } from "../../src/secrets/store.ts";
import { problemWithReport as problemWithDeployment } from "../../src/targets/webhook/report.ts";
import { newCheck, newDeployment, repository } from "../runs/scene.ts";
import { engines } from "../support/engines.ts";
import { until } from "../support/until.ts";

describe.each(engines())("the door for other CI systems' results on %s", (_name, storage) => {
  let database: Database;
  let run: { readonly id: number; readonly attempt: number };
  beforeEach(async () => {
    database = await storage.open();
    await database.write((tx) => rememberRepository(tx, repository));
    run = { id: Number(await database.write((tx) => createCheck(tx, newCheck()))), attempt: 1 };
  });

  const key = secretKey(new Uint8Array(32).fill(7));
  const secretsFor =
    ({ id }: { readonly id: number }, environment: string | null) =>
    (name: string) =>
      database.read((db) => readSecret(db, key, { repository: id, environment, name }));
  const problems = { check: problemWithReport, deployment: problemWithDeployment };
  const never = new AbortController().signal;
  const callbacks = () => callbacksOf(database, run, "http://127.0.0.1:3000");
  const send = (url: string, body: string | ReadableStream, method = "POST") =>
    createCallbacks({ database, secretsFor, problems, log: pino({ level: "silent" }) })(
      new Request(url, { method, ...(method === "POST" ? { body, duplex: "half" } : {}) }),
    );
  const answer = async (response: Promise<Response>) => {
    const { status, text } = await response.then(async (one) => ({ status: one.status, text: await one.text() }));
    return `${status} ${text.trim()}`;
  };

  it("takes a result once, and hands it to who waits", async () => {
    const { url, key } = await callbacks().open();
    const arrived = callbacks().arrived([key], never);

    expect(await answer(send(url, '{"result":"passed"}'))).toBe("200 Taken");
    expect(await arrived).toEqual({ result: "passed" });
    expect(await answer(send(url, '{"result":"failed"}'))).toBe(
      "410 This callback was called already, or nobody waits for it any more",
    );
    expect(await callbacks().arrived([key], never)).toEqual({ result: "passed" });
  });

  it("takes one of many calls at the same moment", async () => {
    const { url } = await callbacks().open();

    const statuses = await Promise.all(
      Array.from({ length: 8 }, () => send(url, '{"result":"passed"}').then(({ status }) => status)),
    );

    expect(statuses.toSorted()).toEqual([200, ...Array(7).fill(410)]);
  });

  it("knows only its own tokens", async () => {
    const { url, key } = await callbacks().open();

    for (const wrong of [
      `${url}x`,
      url.slice(0, -1),
      `http://127.0.0.1:3000/-/callbacks/${key}`,
      "http://127.0.0.1:3000/-/callbacks/",
    ]) {
      expect(await answer(send(wrong, '{"result":"passed"}'))).toBe("404 There is no such callback");
    }
    expect(await answer(send(url, "", "GET"))).toBe("405 Send the result with POST");
  });

  it.each([
    ["no JSON", "400 The body is not JSON"],
    ["[]", /^400 the body: /],
    ['{"result":"success"}', /^400 result: /],
    ['{"result":"passed","colour":"red"}', /^400 the body: .*colour/],
    ['{"result":"passed","url":"javascript:alert(1)"}', "400 url: must be an address that starts with https:// or http://"],
  ])("says what is wrong with %s, and takes it when it is mended", async (body, words) => {
    const { url, key } = await callbacks().open();

    expect(await answer(send(url, body))).toEqual(typeof words === "string" ? words : expect.stringMatching(words));
    expect(await answer(send(url, '{"result":"failed","what":"3 tests"}'))).toBe("200 Taken");
    expect(await callbacks().arrived([key], never)).toEqual({ result: "failed", what: "3 tests" });
  });

  it("changes nothing for whatever else is sent, to whatever address", async () => {
    const { url, key } = await callbacks().open();
    const hostile = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json({ maxDepth: 5 }),
      fc.nat(50_000).map((depth) => "[".repeat(depth)),
      fc.record({ result: fc.string(), log: fc.anything() }).map((report) => JSON.stringify(report)),
    );
    const address = fc.oneof(
      fc.constant(url),
      fc.webPath().map((path) => `http://127.0.0.1:3000/-/callbacks/${path}`),
      fc.string({ unit: "binary" }).map((text) => `${url}${encodeURIComponent(text.toWellFormed())}x`),
    );
    await fc.assert(
      fc.asyncProperty(address, hostile, async (to, body) => {
        expect([400, 404]).toContain((await send(to, body)).status);
      }),
      { numRuns: 60 },
    );
    expect(await database.read((db) => db.selectFrom("callback").select("body").execute())).toEqual([{ body: null }]);
    await send(url, '{"result":"passed"}');
    expect(await callbacks().arrived([key], never)).toEqual({ result: "passed" });
  });

  it("asks for it once more when it cannot be stored, and says why in the log alone", async () => {
    const { url } = await callbacks().open();
    await database.close();
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(line) });
    const take = createCallbacks({ database, secretsFor, problems, log });
    const response = await take(new Request(url, { method: "POST", body: '{"result":"passed"}' }));
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "30"]);
    expect(await response.text()).toBe("The result could not be stored; send it again later\n");
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([expect.stringContaining("a callback could not be taken")]);
  });

  it("takes a log up to a megabyte, whatever the head promises", async () => {
    const { url } = await callbacks().open();
    const body = (length: number) => JSON.stringify({ result: "passed", log: "x".repeat(length) });
    const streamed = (text: string) => ReadableStream.from([Buffer.from(text)]);

    expect(await answer(send(url, body(1_000_000)))).toMatch(/^413 The body is larger than 1000000 bytes/);
    expect(await answer(send(url, streamed(body(1_000_000))))).toMatch(/^413 /);
    expect(await answer(send(url, streamed(body(999_000))))).toBe("200 Taken");
  });

  it("takes nothing for a run that has ended, and leaves the others' open", async () => {
    const { url } = await callbacks().open();
    const id = Number(await database.write((tx) => createCheck(tx, newCheck({ name: "lint" }))));
    const other = await callbacksOf(database, { id, attempt: 1 }, "http://127.0.0.1:3000").open();
    await database.write((tx) => closeCallbacks(tx, run.id));

    expect(await answer(send(url, '{"result":"passed"}'))).toMatch(/^410 /);
    expect(await answer(send(other.url, '{"result":"passed"}'))).toBe("200 Taken");
  });

  it("keeps what came no longer than the run needs it", async () => {
    const { url } = await callbacks().open();
    await send(url, '{"result":"passed","log":"a long one"}');
    await database.write((tx) => closeCallbacks(tx, run.id));

    expect(await database.read((db) => db.selectFrom("callback").select("body").execute())).toEqual([{ body: null }]);
    expect(await answer(send(url, '{"result":"passed"}'))).toMatch(/^410 /);
  });

  it("lets who waits stop waiting", async () => {
    const { key } = await callbacks().open();
    const stopping = new AbortController();
    const arrived = callbacks().arrived([key], stopping.signal);
    stopping.abort("superseded");

    await expect(arrived).rejects.toBe("superseded");
  });

  it("hands a result to another attempt of the run, and to no other run", async () => {
    const { url, key } = await callbacks().open();
    await send(url, '{"result":"passed"}');

    expect(await callbacksOf(database, { ...run, attempt: 2 }, "").arrived([key], never)).toEqual({ result: "passed" });
    await expect(callbacksOf(database, { ...run, id: run.id + 1 }, "").arrived([key], never)).rejects.toThrow(
      `Run ${run.id + 1} waits for no such callback`,
    );
  });

  it("wakes who waits when the result comes", async () => {
    const { url, key } = await callbacks().open();
    let result: unknown = null;
    void callbacks()
      .arrived([key], never)
      .then((body) => {
        result = body;
      });
    await send(url, '{"result":"passed"}');

    // Without the ring it would take five seconds.
    await until("the result", () => result !== null);
  });

  describe("a report that repeats what nobody should keep", () => {
    const set = (name: string, value: string, environment: string | null = null) =>
      database.write((tx) => setSecret(tx, key, { repository: repository.id, environment, name }, value));
    const opened = async (id: number | null) =>
      callbacksOf(database, { id: Number(id), attempt: 1 }, "https://ci.example.com").open();
    const kept = async () => JSON.stringify(await database.read((db) => db.selectFrom("callback").select("body").execute()));

    it("of a check is stored without the secrets that its run names, and without the addresses to call", async () => {
      await set("HOOK", "tr0ub4dor&3!");
      await set("OTHER", "another one");
      const configuration = { with: { url: "https://ci.example.com", secret: "HOOK" } };
      const id = await database.write((tx) => createCheck(tx, newCheck({ name: "e2e", configuration })));
      const [before, now] = [await opened(id), await opened(id)];
      const log = `tr0ub4dor&3! dHIwdWI0ZG9yJjMh ${before.url}\n${now.url.split("/").at(-1)} another one\n`;

      expect(await answer(send(now.url, JSON.stringify({ result: "failed", what: "tr0ub4dor&3! is wrong", log })))).toBe(
        "200 Taken",
      );
      expect(await callbacksOf(database, { id: Number(id), attempt: 1 }, "").arrived([before.key, now.key], never)).toEqual({
        result: "failed",
        what: "*** is wrong",
        log: "*** *** https://ci.example.com/-/callbacks/***\n*** another one\n",
      });
      expect(await kept()).not.toMatch(/tr0ub4dor|dHIwdWI0|callbacks\/[^*]/);
    });

    it("of a deployment neither, in whatever its release holds, and is still understood", async () => {
      await set("HOOK", "of all environments");
      await set("HOOK", "passed", "staging");
      const configuration = { plan: { with: { secret: "HOOK" } } };
      const id = await database.write((tx) => createDeploymentRun(tx, newDeployment({ environment: "staging", configuration })));
      const { url, key: found } = await opened(id);
      const release = { passed: ["it passed", 7, null, { deep: "passed" }] };

      expect(await answer(send(url, JSON.stringify({ result: "passed", url: "https://passed.example.com", release })))).toBe(
        "200 Taken",
      );
      expect(await callbacksOf(database, { id: Number(id), attempt: 1 }, "").arrived([found], never)).toEqual({
        result: "passed",
        url: "https://***.example.com",
        release: { "***": ["it ***", 7, null, { deep: "***" }] },
      });
    });
  });
});
