import { createHmac } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import type { Database } from "../../src/database/connection.ts";
import { createCallbacks } from "../../src/doors/callbacks.ts";
import { createDeploymentRun } from "../../src/runs/births.ts";
import { callbacksOf } from "../../src/runs/callbacks.ts";
import { type DeployOrder, OperatorProblem } from "../../src/targets/target.ts";
import { problemWithReport } from "../../src/targets/webhook/report.ts";
import { webhook } from "../../src/targets/webhook/webhook.ts";
import { keepsToTheContract, recordingIo } from "../contracts/deploy-target.ts";
import { fast } from "../runners/pace.ts";
import { type StandIn, startStandIn } from "../runners/stand-in.ts";
import { newDeployment } from "../runs/scene.ts";
import { engines } from "../support/engines.ts";
import { until } from "../support/until.ts";
import { orderIn, sha } from "./order.ts";

const secret = "a webhook's secret";
const target = webhook(fast);
const storage = engines()[0]?.[1];

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

interface Message {
  readonly action: string;
  readonly run: string;
  readonly callback?: string;
  readonly release?: unknown;
}

/** A receiver that deploys what it is asked to, once per run, as its documentation asks; and the callbacks' door. */
async function openWorld() {
  if (storage === undefined) throw new Error("There is no database");
  const root = await mkdtemp(join(tmpdir(), "signalbox-webhook-"));
  closers.push(() => rm(root, { recursive: true, force: true }));
  const database = await storage.open();
  await database.write((tx) => createDeploymentRun(tx, newDeployment()));
  const versions = new Map<string, { readonly version: string; readonly slow: boolean }>();
  const begun = new Set<string>();
  let live: string | null = null;
  const standIn = await startStandIn(() => ({ status: 202 }));
  closers.push(standIn.close);
  const messages = () => standIn.asked.map(({ body }): Message => JSON.parse(body));

  let seen = 0;
  const answered = new Set<string>();
  async function report(address: string, body: object): Promise<void> {
    if (answered.has(address)) return;
    answered.add(address);
    await call(database, address, body);
  }
  async function obey({ action, run, callback = "", release }: Message): Promise<void> {
    if (action === "cancel") {
      const { callback: waiting = "" } = messages().find((one) => one.run === run && one.callback !== undefined) ?? {};
      return report(waiting, { result: "failed", what: "was stopped", live: "unchanged" });
    }
    if (action === "rollback") live = String(release);
    const wanted = versions.get(run);
    if (action === "deploy" && !begun.has(run)) {
      if (wanted?.slow === true) return;
      live = wanted?.version ?? null;
    }
    begun.add(run);
    await report(callback, { result: "passed", log: "deployed\n", release: live });
  }
  const clock = setInterval(() => {
    for (const message of messages().slice(seen)) {
      seen += 1;
      void obey(message);
    }
  }, 5);
  closers.push(async () => clearInterval(clock));

  let made = 0;
  return {
    ...standIn,
    root,
    database,
    messages,
    options: { url: `${standIn.url}/hook`, secret: "WEBHOOK" },
    live: async () => live,
    async order(version: string, pace?: "slow", more: Partial<DeployOrder> = {}): Promise<DeployOrder> {
      made += 1;
      const run = `https://ci.acme.example/acme/shop/runs/${made}`;
      versions.set(run, { version, slow: pace === "slow" });
      const workspace = join(root, `run-${made}`);
      await mkdir(workspace);
      const callbacks = callbacksOf(database, { id: 1, attempt: 1 }, "https://ci.acme.example");
      return orderIn(root, { workspace, run, callbacks, secret: async (name) => (name === "WEBHOOK" ? secret : null), ...more });
    },
  };
}

function call(database: Database, url: string, report: unknown): Promise<Response> {
  const problems = { check: () => "of a check", deployment: problemWithReport };
  const door = createCallbacks({ database, problems, log: pino({ level: "silent" }), secretsFor: () => async () => null });
  return door(new Request(url, { method: "POST", body: JSON.stringify(report) }));
}

describe("the target webhook", () => {
  keepsToTheContract(async () => {
    const { options, order, live, url } = await openWorld();
    return {
      target,
      options,
      order,
      live,
      secret,
      refused: [
        { options: { ...options, url: "ftp://example.com" }, says: /^with\.url: must be an address/ },
        { options: { ...options, url: `${url}/?token=x` }, says: /^with\.url: must not have a query/ },
        { options: { ...options, secret: "NONE" }, says: /^the secret NONE is not set/ },
      ],
    };
  });

  describe("with a receiver", () => {
    let world: Awaited<ReturnType<typeof openWorld>>;
    let order: DeployOrder;
    let stopping: AbortController;
    beforeEach(async () => {
      world = await openWorld();
      order = await world.order("one", "slow");
      stopping = new AbortController();
    });
    const posted = (action: string) => until(`${action} is posted`, () => world.messages().find((one) => one.action === action));
    const report = (message: Message, body: object) => call(world.database, message.callback ?? "", body);

    it("says what to deploy and where to call back, and the receiver knows that it is us", async () => {
      const deployed = target.deploy(world.options, order, recordingIo());
      const message = await posted("deploy");
      await report(message, { result: "passed", url: "https://shop.example.com" });

      expect(await deployed).toEqual({ kind: "live", release: null, url: "https://shop.example.com" });
      expect(message).toEqual({
        action: "deploy",
        run: order.run,
        environment: "production",
        repository: { owner: "acme", name: "shop", clone_url: "https://github.com/acme/shop.git" },
        sha,
        ref: "main",
        callback: expect.stringMatching(/^https:\/\/ci\.acme\.example\/-\/callbacks\/[\w-]{43}$/),
      });
      const [first] = world.asked as StandIn["asked"];
      const timestamp = first?.headers["x-signalbox-timestamp"];
      const signature = createHmac("sha256", secret).update(`${timestamp}.${first?.body}`).digest("hex");
      expect(first?.headers["x-signalbox-signature"]).toBe(`sha256=${signature}`);
    });

    it.each([
      [{ result: "failed", what: "3 pods crash\nand more", live: "unchanged" }, "3 pods crash", "unchanged"],
      [{ result: "failed" }, expect.stringMatching(/^the deployment by 127\.0\.0\.1:\d+ failed$/), "unknown"],
    ])("ends as the receiver says: %j", async (body, reason, live) => {
      const deployed = target.deploy(world.options, order, recordingIo());
      await report(await posted("deploy"), body);

      expect(await deployed).toEqual({ kind: "refused", reason, live });
    });

    it("lets the receiver mend a report that is wrong", async () => {
      const deployed = target.deploy(world.options, order, recordingIo());
      const message = await posted("deploy");

      const wrong = await report(message, { result: "ok" });
      expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining("result: ")]);
      const large = await report(message, { result: "passed", release: "x".repeat(10_001) });
      expect([large.status, await large.text()]).toEqual([400, "release: is larger than 10 KB\n"]);
      const deep = await report(message, { result: "passed", release: JSON.parse(`${"[".repeat(101)}${"]".repeat(101)}`) });
      expect([deep.status, await deep.text()]).toEqual([400, "release: is nested more than 100 deep\n"]);
      await report(message, { result: "passed", release: { tag: 7 } });

      expect(await deployed).toEqual({ kind: "live", release: { release: { tag: 7 } } });
    });

    it("goes on after a restart with a deployment that had been asked for, and hears what came meanwhile", async () => {
      const before = recordingIo({ stop: stopping.signal });
      const broken = target.deploy(world.options, order, before);
      const message = await posted("deploy");
      await until("it is remembered", () => before.kept<{ sent: boolean }>()?.sent === true);
      stopping.abort("shutdown");
      await expect(broken).rejects.toBe("shutdown");
      await report(message, { result: "passed", release: 1 });

      expect(await target.resume?.(world.options, before.kept(), order, recordingIo())).toEqual({
        kind: "live",
        release: { release: 1 },
      });
      expect(world.messages()).toHaveLength(1);
    });

    it("asks again for the same run when it cannot know whether it was heard, and takes either call", async () => {
      world.fault(/hook/, "cut", 100);
      const before = recordingIo({ stop: stopping.signal });
      const broken = target.deploy(world.options, order, before);
      const first = await posted("deploy");
      stopping.abort("shutdown");
      await expect(broken).rejects.toBe("shutdown");
      world.mend();
      const asked = world.messages().length;
      const resumed = target.resume?.(world.options, before.kept(), order, recordingIo());
      const second = await until("it is asked again", () => world.messages()[asked]);

      expect(second).toMatchObject({ action: "deploy", run: first.run });
      expect(second.callback).not.toBe(first.callback);
      await report(first, { result: "passed" });
      expect(await resumed).toMatchObject({ kind: "live" });
    });

    it("asks no second time when the first was answered before we could remember that it was sent", async () => {
      const before = recordingIo({ stop: stopping.signal, onRemember: async () => void stopping.abort("shutdown") });
      world.fault(/hook/, "silent");
      await expect(target.deploy(world.options, order, before)).rejects.toBe("shutdown");
      const { key, url } = await order.callbacks.open();
      await call(world.database, url, { result: "passed" });

      const handle = { callbacks: [key], sent: false, rollback: null };
      expect(await target.resume?.(world.options, handle, order, recordingIo())).toMatchObject({ kind: "live" });
      expect(world.messages().filter(({ action }) => action === "deploy").length).toBeLessThan(2);
    });

    it("tells the receiver what to put back", async () => {
      const before = { release: { tag: 7 } };
      const restored = target.restore?.(world.options, before, order, recordingIo());
      expect(await posted("rollback")).toMatchObject({ release: { tag: 7 } });

      expect(await restored).toEqual({ kind: "live", release: before });
    });

    it("stops what a server before it had begun, when it is not wanted any more", async () => {
      const before = recordingIo({ stop: stopping.signal });
      const broken = target.deploy(world.options, order, before);
      await until("it is remembered", () => before.kept<{ sent: boolean }>()?.sent === true);
      stopping.abort("shutdown");
      await expect(broken).rejects.toBe("shutdown");

      const after = recordingIo({ stop: AbortSignal.abort("superseded") });
      await expect(target.resume?.(world.options, before.kept(), order, after)).rejects.toBe("superseded");
      expect(world.messages().map(({ action }) => action)).toEqual(["deploy", "cancel"]);
      expect(after.kept()).toBeNull();
    });

    it.each([
      [{ status: 404 }, /^127\.0\.0\.1:\d+ answered 404 when asked to deploy$/],
      [{ status: 401 }, /does not accept the credentials$/],
      [{ status: 302, headers: { location: "https://elsewhere.example.com/" } }, /answered with a redirect \(302\)/],
    ])("says to the operator that it was refused: %j", async (answer, what) => {
      world.fault(/hook/, answer);
      const error = await Promise.resolve(target.deploy(world.options, order, recordingIo())).catch((thrown) => thrown);

      expect(error).toBeInstanceOf(OperatorProblem);
      expect(error.message).toMatch(what);
      expect(world.asked).toHaveLength(1);
    });

    it.each([{ status: 429, headers: { "retry-after": "0" } }, { status: 503 }, "cut"] as const)(
      "is patient when the receiver answers with %j",
      async (trouble) => {
        world.fault(/hook/, trouble, 2);
        const deployed = target.deploy(world.options, order, recordingIo());
        await until("it is sent again", () => world.messages().length >= 2);
        const [first, second] = world.messages();
        expect(second).toEqual(first);
        await report(first ?? { action: "", run: "" }, { result: "passed" });

        expect(await deployed).toMatchObject({ kind: "live" });
      },
    );

    it("keeps the callback's address to itself", async () => {
      const concealed: string[] = [];
      const io = recordingIo();
      const deployed = target.deploy(world.options, { ...order, conceal: (value) => void concealed.push(value) }, io);
      const { callback = "" } = await posted("deploy");
      expect(concealed).toEqual([callback]);
      await report(await posted("deploy"), { result: "passed" });
      await deployed;

      expect(JSON.stringify([io.kept(), io.text()])).not.toContain(callback.split("/").at(-1));
    });
  });
});
