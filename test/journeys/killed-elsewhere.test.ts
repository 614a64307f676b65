import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { openDatabase } from "../../src/database/connection.ts";
import { openSecretKey } from "../../src/secrets/key.ts";
import { setSecret } from "../../src/secrets/store.ts";
import { lineOf, type StandIn, startStandIn } from "../runners/stand-in.ts";
import { deploymentBecomes, sandbox } from "../support/journey.ts";
import { until } from "../support/until.ts";
import { startCodeDeploy } from "../targets/codedeploy-server.ts";
import { startHeroku } from "../targets/heroku-server.ts";
import { type ServerProcess, startProcess } from "./server-process.ts";

let github: GitHubStandIn;
let folder: string;
let server: ServerProcess | null = null;
const closers: (() => Promise<void>)[] = [];
beforeEach(async () => {
  github = await startGitHub();
  closers.push(() => github.close());
  folder = await mkdtemp(join(tmpdir(), "signalbox-elsewhere-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
});
afterEach(async () => {
  await end();
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Everything that the servers have written. */
let written = "";

async function end(): Promise<void> {
  await server?.end("SIGKILL");
  written += server?.output() ?? "";
  server = null;
}

async function start(): Promise<void> {
  server = await startProcess(github, folder, { SANDBOX: await sandbox, OUTBOUND_ALLOW: "127.0.0.1", CONCURRENCY: "4" });
}

/** A repository that is deployed to all of these with each push, and the secrets of their services. */
async function newShop(
  environments: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>>,
): Promise<Repository> {
  const lines = Object.entries(environments).map(
    ([name, rest]) => `  ${name}: { require_checks: none, timeout: 10m, ${rest} }\n`,
  );
  const shop = await github.repository({
    owner: "acme",
    name: "shop",
    files: { ".github/signalbox.yml": `environments:\n${lines.join("")}`, version: "none" },
    permissions: { mira: "write" },
  });
  const database = await openDatabase({ url: null, folder });
  const key = openSecretKey(null, folder);
  for (const [name, value] of Object.entries(secrets))
    await database.write((tx) => setSecret(tx, key, { repository: shop.id, environment: null, name }, value));
  await database.close();
  return shop;
}

/** A request in whose middle a server dies, and whether the service has done what was asked. */
interface Moment {
  readonly of: StandIn;
  readonly on: RegExp;
  readonly does: "silent" | "lost";
}

/** Begins something and kills the server when the next requests like these have come, and are not answered; what came before them was. */
async function dieAt(moments: readonly Moment[], begin: () => Promise<unknown>, last = async () => {}): Promise<void> {
  const before = moments.map(({ of, on, does }) => {
    of.fault(on, does);
    return of.asked.length;
  });
  await begin();
  for (const [index, { of, on, does }] of moments.entries())
    await until(`${does} at ${on}`, () => of.asked.slice(before[index]).some((asked) => on.test(lineOf(asked))));
  await last();
  await end();
  for (const { of } of moments) of.mend();
}

/** GitHub knows one deployment to the environment, which has ended once, in this way. */
async function endedOnce(shop: Repository, environment: string, state: "success" | "error"): Promise<void> {
  const ended = await deploymentBecomes(shop, environment, state);
  expect(shop.deployments().filter((one) => one.environment === environment)).toEqual([ended]);
  expect(ended.statuses.filter((one) => ["success", "failure", "error"].includes(one.state))).toHaveLength(1);
}

/** Takes what is posted to it, and knows which deployments those are and where to call back. */
async function startReceiver() {
  const addresses: string[] = [];
  const runs = new Set<string>();
  const standIn = await startStandIn(({ body }) => {
    const { run, callback } = JSON.parse(body);
    runs.add(run);
    addresses.push(callback);
    return { status: 202 };
  });
  return { ...standIn, addresses, runs };
}

describe("a server that is killed at each step of deployments that go on elsewhere", () => {
  it("leaves one build and release at Heroku, one deployment at CodeDeploy and one at a webhook's receiver", async () => {
    const heroku = await startHeroku("a key");
    const codedeploy = await startCodeDeploy("AKIAIOSFODNN7EXAMPLE");
    const hook = await startReceiver();
    closers.push(heroku.close, codedeploy.close, hook.close);
    heroku.phases = "passes";
    await start();
    const group = "application: shop, group: production, region: eu-central-1, bucket: acme-bundles";
    const shop = await newShop(
      {
        heroku: `trigger: push, target: heroku, with: { app: shop-staging, key: HEROKU, api: "${heroku.url}" }`,
        promoted: `after: heroku, target: heroku, with: { app: shop, key: HEROKU, api: "${heroku.url}" }`,
        aws: `trigger: push, target: codedeploy, with: { ${group}, key: AWS, endpoint: "${codedeploy.url}" }`,
        hook: `trigger: push, target: webhook, with: { url: "${hook.url}/hook", secret: HOOK }`,
        early: `trigger: push, target: heroku, with: { app: shop, key: HEROKU, api: "${heroku.url}" }`,
      },
      { HEROKU: "a key", AWS: "AKIAIOSFODNN7EXAMPLE:another key", HOOK: "a secret" },
    );
    const at = (of: StandIn, on: RegExp, does: Moment["does"]) => ({ of, on, does });
    const push = () => shop.commit({ branch: "main", files: { version: "one" }, message: "Deploy me", author: "mira" });
    await dieAt(
      [
        // Nothing is wanted of Heroku yet, so this one is not gone on with.
        at(heroku, /^GET \/apps\/shop$/, "silent"),
        at(heroku, /^GET .*shop-staging\/builds$/, "silent"),
        at(codedeploy, /ListDeployments$/, "silent"),
        at(hook, /^POST/, "silent"),
      ],
      push,
    );
    await dieAt([at(heroku, /^POST \/sources$/, "lost"), at(codedeploy, /^PUT/, "silent"), at(hook, /^POST/, "lost")], start);
    // It could not say that it had taken it. Now it can, and the server dies while it waits.
    await dieAt([at(heroku, /^PUT \/uploads/, "silent"), at(codedeploy, /^PUT/, "lost")], start, async () => {
      await until("the receiver is told once more", () => hook.addresses.length === 2);
    });
    await dieAt([at(heroku, /^POST .*\/builds$/, "silent"), at(codedeploy, /CreateDeployment$/, "silent")], start);
    await dieAt([at(heroku, /^POST .*\/builds$/, "lost"), at(codedeploy, /CreateDeployment$/, "lost")], start);
    await dieAt([at(heroku, /^GET .*\/builds\/[^/]+$/, "silent"), at(codedeploy, /BatchGetDeployments$/, "silent")], start);
    await dieAt([at(heroku, /^GET \/streams/, "silent"), at(codedeploy, /\.GetDeployment$/, "silent")], start);
    // The receiver calls the first address that it was told; people know the server by another one.
    await dieAt(
      [at(heroku, /^GET .*\/releases\/[^/]+$/, "silent"), at(codedeploy, /BatchGetDeploymentTargets$/, "silent")],
      start,
      async () => {
        const { pathname } = new URL(hook.addresses[0] ?? "");
        const report = { method: "POST", body: JSON.stringify({ result: "passed" }) };
        expect((await fetch(`${server?.url}${pathname}`, report)).status).toBe(200);
      },
    );
    await dieAt([at(heroku, /^POST \/pipeline-promotions$/, "silent")], start);
    await dieAt([at(heroku, /^POST \/pipeline-promotions$/, "lost")], start);
    await start();

    for (const environment of ["heroku", "promoted", "aws", "hook"]) await endedOnce(shop, environment, "success");
    await endedOnce(shop, "early", "error");
    expect(heroku.made).toMatchObject({
      builds: [{ status: "succeeded" }],
      releases: [{ description: expect.stringMatching(/^Deploy /) }, { description: "Promote shop-staging v1" }],
    });
    expect(codedeploy.made).toMatchObject([{ status: "Succeeded" }]);
    expect([heroku.live(), heroku.live("shop"), codedeploy.live()]).toEqual(["one", "one", "one"]);
    expect(hook.runs.size).toBe(1);
    // Nobody's library writes past the log.
    await end();
    expect(written.split("\n").filter((line) => !line.startsWith("{"))).toEqual([""]);
  }, 300_000);
});
