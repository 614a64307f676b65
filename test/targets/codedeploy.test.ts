import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { codedeploy } from "../../src/targets/codedeploy/codedeploy.ts";
import { loadSdk } from "../../src/targets/codedeploy/sdk.ts";
import { type DeployOrder, OperatorProblem } from "../../src/targets/target.ts";
import { keepsToTheContract, recordingIo } from "../contracts/deploy-target.ts";
import { fast } from "../runners/pace.ts";
import { until } from "../support/until.ts";
import { type CodeDeployServer, startCodeDeploy } from "./codedeploy-server.ts";
import { orderIn, sha } from "./order.ts";

const accessKeyId = "AKIAIOSFODNN7EXAMPLE";
const secret = `${accessKeyId}:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`;
const target = codedeploy(fast);
const { requests } = JSON.parse(readFileSync(new URL("../../fixtures/services/codedeploy.json", import.meta.url), "utf8"));

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function openWorld() {
  const root = await mkdtemp(join(tmpdir(), "signalbox-codedeploy-"));
  closers.push(() => rm(root, { recursive: true, force: true }));
  const server = await startCodeDeploy(accessKeyId);
  closers.push(server.close);
  let made = 0;
  async function order(version: string, pace?: "slow", more: Partial<DeployOrder> = {}): Promise<DeployOrder> {
    made += 1;
    server.deployments = pace === "slow" ? "waits" : "passes";
    const workspace = join(root, `run-${made}`, "workspace");
    await mkdir(workspace, { recursive: true });
    await writeFile(join(workspace, "version"), version);
    await writeFile(join(workspace, "appspec.yml"), "version: 0.0\nos: linux\n");
    const run = `https://ci.acme.example/acme/shop/runs/${made}`;
    return orderIn(root, { workspace, run, secret: async (name) => (name === "AWS_KEY" ? secret : null), ...more });
  }
  const where = { application: "shop", group: "production", region: "eu-central-1", bucket: "acme-bundles" };
  return { server, order, options: { ...where, key: "AWS_KEY", endpoint: server.url } };
}

describe("the target codedeploy", () => {
  keepsToTheContract(async () => {
    const { server, order, options } = await openWorld();
    return {
      target,
      options,
      order,
      live: async () => server.live(),
      secret,
      refused: [
        { options: { ...options, region: "Frankfurt" }, says: /^with\.region: must be a region/ },
        { options: { ...options, key: "NONE" }, says: /^the secret NONE is not set/ },
        { options: { ...options, application: "unknown" }, says: /^with\.application: CodeDeploy has no application "unknown"/ },
        { options: { ...options, group: "unknown" }, says: /^with\.group: shop has no deployment group "unknown"/ },
        { options: { ...options, bucket: "unknown" }, says: /^with\.bucket: S3 has no bucket "unknown"/ },
        { options: { ...options, from: "nothing" }, says: /^from: "nothing" does not exist/ },
      ],
    };
  });

  describe("with a deployment group", () => {
    let server: CodeDeployServer;
    let options: Awaited<ReturnType<typeof openWorld>>["options"];
    let newOrder: Awaited<ReturnType<typeof openWorld>>["order"];
    let stopping: AbortController;
    beforeEach(async () => {
      ({ server, options, order: newOrder } = await openWorld());
      stopping = new AbortController();
    });
    const deploy = async (version = "one", io = recordingIo()) => target.deploy(options, await newOrder(version), io);
    const problemOf = async (work: Promise<unknown>) => {
      const error = await work.catch((thrown: unknown) => thrown);
      if (!(error instanceof OperatorProblem)) throw error;
      return `${error.message}. ${error.fix}`;
    };

    it("asks for a deployment of the bundle as its documentation says, and shows the life-cycle events", async () => {
      const io = recordingIo();
      const deployed = await deploy("one", io);

      const [asked] = server.posted("CreateDeployment");
      const { s3Location } = requests.createDeployment.revision;
      const key = expect.stringMatching(new RegExp(`^signalbox/acme/shop/production/${sha}-[0-9a-f]{12}\\.tgz$`));
      const location = { ...s3Location, key, eTag: expect.stringMatching(/^[0-9a-f]{32}$/) };
      expect(asked).toEqual({ ...requests.createDeployment, revision: { revisionType: "S3", s3Location: location } });
      expect(deployed).toEqual({
        kind: "live",
        release: {
          application: "shop",
          group: "production",
          bundle: { bucket: "acme-bundles", key, eTag: location.eTag },
        },
      });
      expect(io.text()).toBe(
        [
          "Sending 2 files (26 bytes) to S3",
          "d-000000001 is under way in production",
          "i-0aa1bb2cc3dd4ee5f: ApplicationStop Succeeded",
          "i-0aa1bb2cc3dd4ee5f: DownloadBundle Succeeded",
          "i-0aa1bb2cc3dd4ee5f: AfterInstall Succeeded\n",
        ].join("\n"),
      );
    });

    it("shows what a script that failed has said, and that nobody knows what is live", async () => {
      const order = await newOrder("one");
      server.deployments = "fails";
      const io = recordingIo();

      expect(await target.deploy(options, order, io)).toEqual({
        kind: "refused",
        reason: expect.stringMatching(/^CodeDeploy: The overall deployment failed because too many/),
        live: "unknown",
      });
      expect(io.text()).toMatch(
        /AfterInstall Failed\nscripts\/check\.sh\nScript at .* exit code 7\n.*Failed to connect to localhost/s,
      );
    });

    it("waits for the rollback that CodeDeploy does by itself, after which what was live still is", async () => {
      await deploy("one");
      const order = await newOrder("two");
      server.deployments = "fails";
      server.rollsBack = true;
      const io = recordingIo();

      expect(await target.deploy(options, order, io)).toMatchObject({ kind: "refused", live: "unchanged" });
      expect(server.live()).toBe("one");
      expect(io.text()).toMatch(/CodeDeploy rolls back by itself, with d-000000003\n/);
    });

    it("waits until the group is free", async () => {
      const other = await newOrder("theirs", "slow", { environment: "another" });
      const first = target.deploy(options, other, recordingIo({ stop: stopping.signal }));
      // It ends in the middle of what follows.
      const stopped = expect(first).rejects.toBe("superseded");
      await until("it is under way", () => server.made[0]?.status === "InProgress");
      const order = await newOrder("one");
      const io = recordingIo({ onWrite: async (text) => void (text.startsWith("Waiting") && stopping.abort("superseded")) });

      expect(await target.deploy(options, order, io)).toMatchObject({ kind: "live" });
      await stopped;
      expect(io.text()).toMatch(/Waiting for another deployment in production\n/);
      expect(server.live()).toBe("one");
    });

    it("stops what is not wanted any more as its documentation says", async () => {
      await deploy("one");
      const deployed = target.deploy(options, await newOrder("two", "slow"), recordingIo({ stop: stopping.signal }));
      await until("it is under way", () => server.made[1]?.status === "InProgress");
      stopping.abort("superseded");

      await expect(deployed).rejects.toBe("superseded");
      expect(server.posted("StopDeployment")).toEqual([{ ...requests.stopDeployment, deploymentId: "d-000000002" }]);
      expect(server.made.map(({ status }) => status)).toEqual(["Succeeded", "Stopped", "Succeeded"]);
      expect(server.live()).toBe("one");
    });

    it("stops a deployment that never ends when its time is over", async () => {
      const deployed = target.deploy(options, await newOrder("one", "slow"), recordingIo({ stop: stopping.signal }));
      await until("it is under way", () => server.made[0]?.status === "InProgress");
      stopping.abort(new DOMException("its time is over", "TimeoutError"));

      await expect(deployed).rejects.toMatchObject({ name: "TimeoutError" });
      expect(server.made).toMatchObject([{ status: "Stopped" }]);
    });

    it.each([
      [/^POST/, { status: 503 }],
      [/^POST/, "cut"],
      [/^POST/, { status: 429, headers: { "retry-after": "0" } }],
      [
        /^POST/,
        { status: 400, headers: { "content-type": "application/x-amz-json-1.1" }, body: { __type: "ThrottlingException" } },
      ],
      [/^PUT/, { status: 500 }],
      [/^PUT/, "cut"],
    ] as const)("is patient with trouble on %s: %j", async (on, trouble) => {
      server.fault(on, trouble, 2);

      expect(await deploy()).toMatchObject({ kind: "live" });
      expect(server.made).toHaveLength(1);
    });

    it("creates no second deployment when the answer to the first was cut off", async () => {
      const order = await newOrder("one");
      const io = recordingIo({
        onWrite: async (text) => {
          // The list comes first, then the request that creates.
          if (text.startsWith("Sending")) server.fault(/^POST/, "half");
        },
      });

      expect(await target.deploy(options, order, io)).toMatchObject({ kind: "live" });
      expect(server.made).toHaveLength(1);
      expect(server.posted("CreateDeployment")).toHaveLength(1);
    });

    it.each([
      ["AKIAWRONG:secret", /^AWS does not accept the credentials\. Set AWS_KEY again/],
      ["no colon", /^the secret "AWS_KEY" must be ACCESS_KEY_ID:SECRET_ACCESS_KEY\. Set it again/],
    ])("tells the operator when the credentials are %j", async (wrong, says) => {
      const order = await newOrder("one", undefined, { secret: async () => wrong });

      expect(await problemOf(target.deploy(options, order, recordingIo()))).toMatch(says);
    });

    it("tells the operator when the credentials may not do it", async () => {
      const body = { __type: "AccessDeniedException", message: "no" };
      server.fault(/^POST/, { status: 400, headers: { "content-type": "application/x-amz-json-1.1" }, body });

      expect(await problemOf(deploy())).toBe(
        "AWS refuses to list deployments: the credentials may not do that. Give them the right in IAM",
      );
    });

    it("says how to install what is missing", async () => {
      const missing = codedeploy(fast, () =>
        Promise.reject(Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" })),
      );

      expect(await problemOf(missing.deploy(options, await newOrder("one"), recordingIo()))).toBe(
        "the target codedeploy needs two packages that are not installed here. Install them beside Signalbox and restart it: npm install --no-save @aws-sdk/client-codedeploy @aws-sdk/client-s3",
      );
      expect(Object.keys(await loadSdk())).toEqual(["codedeploy", "s3"]);
    });

    it("conceals each part of the secret", async () => {
      const concealed: string[] = [];
      const order = await newOrder("one", undefined, {
        secret: async () => `${secret}:a-session-token`,
        conceal: (value) => void concealed.push(value),
      });
      await target.deploy(options, order, recordingIo());

      expect(concealed).toEqual([...secret.split(":"), "a-session-token"]);
    });

    /** A deployment whose server ends as soon as it has remembered this step. */
    async function brokenAt(step: string, order: DeployOrder) {
      const io = recordingIo({
        stop: stopping.signal,
        onRemember: async (handle) => {
          if (Object(handle).step === step) stopping.abort("shutdown");
        },
      });
      await expect(target.deploy(options, order, io)).rejects.toBe("shutdown");
      return io.kept();
    }

    it("begins anew when no deployment had been created", async () => {
      const order = await newOrder("one");
      const kept = await brokenAt("wanted", order);

      expect(await target.resume?.(options, kept, order, recordingIo())).toBeNull();
      expect(server.made).toEqual([]);
    });

    it("finds the deployment that was created before anybody could remember it, also on a later page", async () => {
      const since = Date.now();
      for (const version of ["a", "b", "c"]) await deploy(version);
      const order = await newOrder("one");
      await brokenAt("deploying", order);

      const resumed = await target.resume?.(options, { step: "wanted", since, to: null }, order, recordingIo());
      expect(resumed).toMatchObject({ kind: "live" });
      expect(server.made).toHaveLength(4);
      expect(server.live()).toBe("one");
    });

    it("goes on after a restart with the deployment that it remembered", async () => {
      const order = await newOrder("one");
      const kept = await brokenAt("deploying", order);

      expect(await target.resume?.(options, kept, order, recordingIo())).toMatchObject({ kind: "live" });
      expect(server.made).toHaveLength(1);
    });

    it("deploys a revision that was live again, and says when its bundle has expired", async () => {
      const one = await deploy("one");
      await deploy("two");
      if (one.kind !== "live") throw new Error(one.reason);
      expect(await target.restore?.(options, one.release, await newOrder("x"), recordingIo())).toEqual(one);
      expect(server.live()).toBe("one");

      server.forget(Object(one.release).bundle.key);
      expect(await target.restore?.(options, one.release, await newOrder("y"), recordingIo())).toEqual({
        kind: "refused",
        reason: "its bundle is not in S3 any more; deploy its commit again",
        live: "unchanged",
      });
    });
  });
});
