import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { heroku } from "../../src/targets/heroku/heroku.ts";
import { type DeployOrder, OperatorProblem } from "../../src/targets/target.ts";
import { keepsToTheContract, recordingIo } from "../contracts/deploy-target.ts";
import { fast } from "../runners/pace.ts";
import { until } from "../support/until.ts";
import { type HerokuServer, startHeroku } from "./heroku-server.ts";
import { orderIn, sha } from "./order.ts";

const key = "HRKU-01234567-89ab-cdef-0123-456789abcdef";
const target = heroku(fast);
const { requests } = JSON.parse(readFileSync(new URL("../../fixtures/services/heroku.json", import.meta.url), "utf8"));

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function openWorld() {
  const root = await mkdtemp(join(tmpdir(), "signalbox-heroku-"));
  closers.push(() => rm(root, { recursive: true, force: true }));
  const server = await startHeroku(key);
  closers.push(server.close);
  let made = 0;
  async function order(version: string, pace?: "slow", more: Partial<DeployOrder> = {}): Promise<DeployOrder> {
    made += 1;
    server.builds = pace === "slow" ? "waits" : "passes";
    const workspace = join(root, `run-${made}`, "workspace");
    await mkdir(join(workspace, "dist"), { recursive: true });
    for (const folder of [workspace, join(workspace, "dist")]) await writeFile(join(folder, "version"), version);
    const run = `https://ci.acme.example/acme/shop/runs/${made}`;
    return orderIn(root, { workspace, run, secret: async (name) => (name === "HEROKU_API_KEY" ? key : null), ...more });
  }
  const options = { app: "shop-staging", key: "HEROKU_API_KEY", api: server.url };
  return { root, server, order, options };
}

describe("the target heroku", () => {
  keepsToTheContract(async () => {
    const { server, order, options } = await openWorld();
    return {
      target,
      options,
      order,
      live: async () => server.live(),
      secret: key,
      refused: [
        { options: { ...options, app: "My App" }, says: /^with\.app: must be the name of an app/ },
        { options: { ...options, app: "unknown" }, says: /^with\.app: Heroku has no app "unknown"/ },
        { options: { ...options, key: "NONE" }, says: /^the secret NONE is not set/ },
        { options: { ...options, from: "nothing" }, says: /^from: "nothing" does not exist/ },
        { options: { ...options, from: "../.." }, says: /leads out of the checkout/ },
      ],
    };
  });

  describe("with an app", () => {
    let server: HerokuServer;
    let options: Awaited<ReturnType<typeof openWorld>>["options"];
    let newOrder: Awaited<ReturnType<typeof openWorld>>["order"];
    let stopping: AbortController;
    beforeEach(async () => {
      ({ server, options, order: newOrder } = await openWorld());
      stopping = new AbortController();
    });
    const posts = (path: RegExp) => server.asked.filter(({ method, path: at }) => method === "POST" && path.test(at));
    const deploy = async (version = "one", io = recordingIo()) => target.deploy(options, await newOrder(version), io);
    const problemOf = async (work: Promise<unknown>) => {
      const error = await work.catch((thrown: unknown) => thrown);
      if (!(error instanceof OperatorProblem)) throw error;
      return error.message;
    };

    it("asks for a build of the source as its documentation says, and shows the log", async () => {
      const io = recordingIo();
      const deployed = await deploy("one", io);

      expect(deployed).toEqual({
        kind: "live",
        url: "https://shop-1a2b3c.herokuapp.com/",
        release: {
          app: "01234567-0000-4000-8000-000000000001",
          release: expect.any(String),
          version: 1,
          slug: expect.any(String),
        },
      });
      const [post] = posts(/builds$/);
      const asked = JSON.parse(post?.body ?? "");
      expect(Object.keys(asked.source_blob)).toEqual(Object.keys(requests.build.source_blob));
      expect(asked.source_blob.version).toBe(`${sha} https://ci.acme.example/acme/shop/runs/1`);
      expect(asked.source_blob.checksum).toMatch(/^SHA256:[0-9a-f]{64}$/);
      expect(io.text()).toMatch(
        /^Sending 2 files \(6 bytes\) to Heroku\n-----> Node\.js app detected\n.*Launching\.\.\.\nv1 is live\n$/s,
      );
    });

    it("sends the key to the API alone", async () => {
      await deploy();

      const keyless = server.asked.filter(({ path }) => /^\/(streams|uploads)\//.test(path));
      expect(keyless.length).toBeGreaterThan(1);
      expect(keyless.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    });

    it("says that the build failed", async () => {
      const order = await newOrder("one");
      server.builds = "fails";

      expect(await target.deploy(options, order, recordingIo())).toEqual({
        kind: "refused",
        reason: "Heroku could not build it: see the log",
        live: "unchanged",
      });
    });

    it("waits for the release phase, shows its output, and fails with it", async () => {
      server.phases = "passes";
      const io = recordingIo();
      expect(await deploy("one", io)).toMatchObject({ kind: "live" });
      expect(io.text()).toMatch(/Release phase of v1\n-----> Node\.js app detected\n/);

      server.phases = "fails";
      expect(await deploy("two")).toEqual({
        kind: "refused",
        reason: "the release phase of v2 failed at Heroku",
        live: "unchanged",
      });
      expect(server.live()).toBe("one");
    });

    it("writes each line of a stream that breaks once", async () => {
      server.fault(/streams/, "half", 3);
      const io = recordingIo();
      expect(await deploy("one", io)).toMatchObject({ kind: "live" });

      expect(io.text().match(/detected/g)).toHaveLength(1);
      expect(io.text().match(/Launching/g)).toHaveLength(1);
    });

    it("goes on although the stream shows nothing", async () => {
      server.fault(/streams/, { status: 404 }, 1_000);

      expect(await deploy()).toMatchObject({ kind: "live" });
    });

    it("waits until a build that somebody else has begun is over", async () => {
      const theirs = server.buildOfOthers();
      const end = async () => {
        theirs.status = "failed";
      };
      const io = recordingIo({ onWrite: end });

      expect(await deploy("one", io)).toMatchObject({ kind: "live" });
      expect(io.text()).toMatch(/^Waiting for another build of shop-staging that is under way at Heroku\nSending/);
    });

    it.each([
      [/builds$/, { status: 503 }],
      [/builds$/, "cut"],
      [/builds$/, { status: 429, headers: { "retry-after": "0" } }],
      [/sources$/, { status: 500 }],
      [/uploads/, "cut"],
      [/releases/, { status: 502 }],
    ] as const)("is patient with trouble on %s: %j", async (path, trouble) => {
      server.fault(path, trouble, 2);

      expect(await deploy()).toMatchObject({ kind: "live" });
      expect(server.made.builds).toHaveLength(1);
    });

    it("creates no second build when the answer to the first was cut off", async () => {
      server.fault(/^POST .*builds$/, "half");

      expect(await deploy()).toMatchObject({ kind: "live" });
      expect(server.made.builds).toHaveLength(1);
      expect(posts(/builds$/)).toHaveLength(1);
    });

    it("tells the operator that the key is not accepted", async () => {
      const order = await newOrder("one", undefined, { secret: async () => "HRKU-wrong" });

      expect(await problemOf(target.deploy(options, order, recordingIo()))).toBe("Heroku does not accept the credentials");
    });

    it("stops a build that is not wanted any more", async () => {
      const order = await newOrder("one", "slow");
      const deployed = target.deploy(options, order, recordingIo({ stop: stopping.signal }));
      await until("it builds", () => server.made.builds[0]);
      await until("its log is read", () => server.asked.some(({ path }) => path.startsWith("/streams/")));
      stopping.abort("superseded");

      await expect(deployed).rejects.toBe("superseded");
      expect(server.made.builds).toMatchObject([{ status: "failed" }]);
    });

    it("stops a build that never ends when its time is over", async () => {
      const order = await newOrder("one", "slow");
      const deployed = target.deploy(options, order, recordingIo({ stop: stopping.signal }));
      await until("it builds", () => server.made.builds[0]);
      stopping.abort(new DOMException("its time is over", "TimeoutError"));

      await expect(deployed).rejects.toMatchObject({ name: "TimeoutError" });
      expect(server.made.builds).toMatchObject([{ status: "failed" }]);
    });

    it("says when what was to be stopped went live all the same", async () => {
      const order = await newOrder("one");
      server.phases = "waits";
      const io = recordingIo({ stop: stopping.signal });
      const deployed = target.deploy(options, order, io);
      await until("its release phase is under way", () => server.made.releases[0]?.status === "pending");
      stopping.abort("superseded");
      server.release();

      await expect(deployed).rejects.toBe("superseded");
      expect(io.text()).toMatch(/went live before it could be stopped/);
    });

    /** A deployment whose server ends as soon as it has remembered this step. */
    async function brokenAt(step: string, order: DeployOrder, work = target.deploy.bind(target)) {
      const io = recordingIo({
        stop: stopping.signal,
        onRemember: async (handle) => {
          if (Object(handle).step === step) stopping.abort("shutdown");
        },
      });
      await expect(work(options, order, io)).rejects.toBe("shutdown");
      return io.kept();
    }

    it("begins anew when no build had been created, and then creates one", async () => {
      const order = await newOrder("one");
      const kept = await brokenAt("build wanted", order);

      expect(await target.resume?.(options, kept, order, recordingIo())).toBeNull();
      expect(await target.deploy(options, order, recordingIo())).toMatchObject({ kind: "live" });
      expect(server.made.builds).toHaveLength(1);
    });

    it("finds the build that was created before anybody could remember it", async () => {
      const order = await newOrder("one");
      await brokenAt("building", order);

      expect(await target.resume?.(options, { step: "build wanted" }, order, recordingIo())).toMatchObject({ kind: "live" });
      expect(server.made.builds).toHaveLength(1);
    });

    it.each(["building", "releasing"])("goes on after a restart: %s", async (step) => {
      const order = await newOrder("one");
      const kept = await brokenAt(step, order);
      const io = recordingIo();

      expect(await target.resume?.(options, kept, order, io)).toMatchObject({ kind: "live" });
      expect(server.made).toMatchObject({ builds: [{ status: "succeeded" }], releases: [{ version: 1 }] });
      expect(io.text()).toMatch(/^Signalbox was restarted; it goes on following the deployment\n/);
    });

    it("rolls back as its documentation says, once although the answer was lost, and finds it after a restart", async () => {
      const one = await deploy("one");
      await deploy("two");
      if (one.kind !== "live") throw new Error(one.reason);
      server.fault(/^POST .*releases$/, "half");
      expect(await target.restore?.(options, one.release, await newOrder("x"), recordingIo())).toEqual(one);

      expect(server.live()).toBe("one");
      expect(posts(/releases$/).map(({ body }) => Object.keys(JSON.parse(body)))).toEqual([Object.keys(requests.rollback)]);
      expect(server.made.releases).toMatchObject([{}, {}, { description: "Rollback to v1" }]);
      const wanted = { step: "rollback wanted", newest: 2, to: one.release };
      expect(await target.resume?.(options, wanted, await newOrder("x"), recordingIo())).toEqual(one);
      expect(server.made.releases).toHaveLength(3);
    });

    it("says that a release which Heroku does not have any more must be deployed again", async () => {
      const one = await deploy("one");
      if (one.kind !== "live") throw new Error(one.reason);
      const gone = { ...Object(one.release), release: "0e000000-0000-4000-8000-000000000099" };

      expect(await target.restore?.(options, gone, await newOrder("x"), recordingIo())).toEqual({
        kind: "refused",
        reason: "Heroku cannot go back to v1 any more; deploy its commit again",
        live: "unchanged",
      });
    });

    describe("after an environment of the same pipeline", () => {
      const production = () => ({ ...options, app: "shop" });
      async function previousOf(version: string) {
        const staging = await deploy(version);
        if (staging.kind !== "live") throw new Error(staging.reason);
        return { target: "heroku", release: staging.release };
      }

      it("promotes the slug that is live there", async () => {
        const previous = await previousOf("one");
        const order = await newOrder("one", undefined, { previous });

        expect(await target.deploy(production(), order, recordingIo())).toMatchObject({ kind: "live", release: { version: 1 } });
        expect(server.live("shop")).toBe("one");
        expect(server.made.builds).toHaveLength(1);
        const [post] = posts(/pipeline-promotions$/);
        expect(JSON.parse(post?.body ?? "")).toEqual({
          pipeline: requests.promotion.pipeline,
          source: { app: requests.promotion.source.app, release: { id: Object(previous.release).release } },
          targets: requests.promotion.targets,
        });
      });

      it("promotes once, although the answer was lost", async () => {
        const previous = await previousOf("one");
        server.fault(/^POST \/pipeline-promotions$/, "half");
        await target.deploy(production(), await newOrder("one", undefined, { previous }), recordingIo());

        expect(posts(/pipeline-promotions$/)).toHaveLength(1);
        expect(server.live("shop")).toBe("one");
      });

      it.each(["promotion wanted", "promoting"])("goes on after a restart: %s", async (step) => {
        const previous = await previousOf("one");
        const order = await newOrder("one", undefined, { previous });
        const kept = await brokenAt(step, order, (_given, one, io) => target.deploy(production(), one, io));

        expect(await target.resume?.(production(), kept, order, recordingIo())).toMatchObject({ kind: "live" });
        expect(posts(/pipeline-promotions$/)).toHaveLength(1);
        expect(server.made.releases).toHaveLength(2);
      });

      it("builds when something else is live there by now, and says so", async () => {
        const previous = await previousOf("one");
        await deploy("two");
        const io = recordingIo();
        await target.deploy(production(), await newOrder("one", undefined, { previous }), io);

        expect(server.live("shop")).toBe("one");
        expect(posts(/pipeline-promotions$/)).toEqual([]);
        expect(io.text()).toMatch(/^It is built, not promoted: something else than this commit is live there\n/);
      });

      it("builds when the app before it is in another pipeline, or not to be seen", async () => {
        const previous = await previousOf("one");
        server.fault(/pipeline-couplings/, { status: 404 });
        await target.deploy(production(), await newOrder("one", undefined, { previous }), recordingIo());

        expect(server.made.builds).toHaveLength(2);
        expect(server.live("shop")).toBe("one");
      });
    });
  });
});
