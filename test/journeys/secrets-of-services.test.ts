import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { openDatabase } from "../../src/database/connection.ts";
import { readLines } from "../../src/runs/log.ts";
import { openSecretKey } from "../../src/secrets/key.ts";
import { setSecret } from "../../src/secrets/store.ts";
import { startStandIn } from "../runners/stand-in.ts";
import { deploymentBecomes, sandbox, statusBecomes } from "../support/journey.ts";
import { until } from "../support/until.ts";
import { startCodeDeploy } from "../targets/codedeploy-server.ts";
import { startHeroku } from "../targets/heroku-server.ts";
import { type ServerProcess, startProcess } from "./server-process.ts";

/** Nobody else's, so that whatever holds one of them tells of a leak. */
const fresh = (before = "") => `${before}${randomBytes(20).toString("hex").toUpperCase()}`;
const secrets = { heroku: fresh("HRKU-"), awsId: fresh("AKIA"), aws: fresh(), awsToken: fresh(), hook: fresh(), ci: fresh() };
const base64 = (text: string) => Buffer.from(text).toString("base64").replace(/=+$/, "");

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Takes what is posted to it, and remembers for each commit where to call back. */
async function startReceiver() {
  const addresses = new Map<string, string>();
  const standIn = await startStandIn(({ body }) => {
    const { sha, callback } = JSON.parse(body);
    addresses.set(sha, callback);
    return { status: 202 };
  });
  closers.push(standIn.close);
  return { ...standIn, addresses };
}

async function openWorld() {
  const github = await startGitHub();
  closers.push(() => github.close());
  const folder = await mkdtemp(join(tmpdir(), "signalbox-secrets-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const heroku = await startHeroku(secrets.heroku);
  const codedeploy = await startCodeDeploy(secrets.awsId);
  closers.push(heroku.close, codedeploy.close);
  const [hook, ci] = [await startReceiver(), await startReceiver()];
  const file = `checks:
  e2e: { runner: webhook, with: { url: "${ci.url}/ci", secret: CI_SECRET } }
environments:
  heroku: { trigger: push, require_checks: none, target: heroku, with: { app: shop, key: HEROKU_KEY, api: "${heroku.url}" } }
  aws:
    trigger: push
    require_checks: none
    target: codedeploy
    with: { application: shop, group: production, region: eu-central-1, bucket: acme-bundles, key: AWS_KEY, endpoint: "${codedeploy.url}" }
  hook: { trigger: push, require_checks: none, target: webhook, with: { url: "${hook.url}/hook", secret: HOOK_SECRET } }
`;
  const written: ServerProcess[] = [];
  const start = async () => {
    await written.at(-1)?.end("SIGKILL");
    const env = { SANDBOX: await sandbox, OUTBOUND_ALLOW: "127.0.0.1", LOG_LEVEL: "trace", CONCURRENCY: "8" };
    const server = await startProcess(github, folder, env);
    written.push(server);
    return server;
  };
  closers.push(async () => written.at(-1)?.end("SIGKILL"));
  await start();
  const shop = await github.repository({
    owner: "acme",
    name: "shop",
    files: { ".github/signalbox.yml": file, version: "none" },
    permissions: { mira: "write" },
  });
  await keepSecrets(folder, shop);
  return { github, folder, heroku, codedeploy, hook, ci, shop, start, written };
}

async function keepSecrets(folder: string, { id: repository }: Repository): Promise<void> {
  const database = await openDatabase({ url: null, folder });
  const key = openSecretKey(null, folder);
  const values = {
    HEROKU_KEY: secrets.heroku,
    AWS_KEY: `${secrets.awsId}:${secrets.aws}:${secrets.awsToken}`,
    HOOK_SECRET: secrets.hook,
    CI_SECRET: secrets.ci,
  };
  for (const [name, value] of Object.entries(values))
    await database.write((tx) => setSecret(tx, key, { repository, environment: null, name }, value));
  await database.close();
}

/** Every page that a link leads to, for people and for machines, by its address. */
async function everyPage(url: string): Promise<ReadonlyMap<string, string>> {
  const pages = new Map<string, string>();
  const left = ["/"];
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    const forPeople = await (await fetch(`${url}${path}`, { headers: { accept: "text/html" } })).text();
    const forMachines = await (await fetch(`${url}${path}`, { headers: { accept: "application/json" } })).text();
    pages.set(path, `${forPeople}\n${forMachines}`);
    for (const [, link = ""] of forPeople.matchAll(/ href="(\/[^"#]*)/g)) {
      const next = link.replaceAll("&amp;", "&");
      if (!next.startsWith("/-/") && !pages.has(next) && !left.includes(next)) left.push(next);
    }
  }
  return pages;
}

/** The data directory as it is on the disk, and the logs in it, which are compressed there. */
async function everythingKept(folder: string): Promise<string> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const bytes = await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), "latin1")));
  const database = await openDatabase({ url: null, folder });
  const attempts = await database.read((db) => db.selectFrom("attempt").select(["run", "number"]).execute());
  const lines = attempts.map(({ run, number }) =>
    database.read((db) => readLines(db, { run, attempt: number, from: 1, to: 10_000 })),
  );
  const logs = JSON.stringify(await Promise.all(lines));
  await database.close();
  return [...bytes, logs].join("\n");
}

const everythingTold = ({ requests }: GitHubStandIn) => JSON.stringify(requests);

describe("services that repeat their secrets in whatever they say", () => {
  it("find none of them in what is kept, shown, logged or told, also when the server dies under it", async () => {
    const { github, folder, heroku, codedeploy, hook, ci, shop, start, written } = await openWorld();
    const push = (version: string) => shop.commit({ branch: "main", files: { version }, message: version, author: "mira" });

    // They refuse it.
    heroku.fault(/^GET \/apps\/shop$/, { status: 422, body: { id: "invalid_params", message: `no, ${secrets.heroku}` } });
    const refusal = `refused ${secrets.awsId} ${secrets.aws} ${secrets.awsToken}`;
    codedeploy.fault(/CreateDeployment$/, {
      status: 400,
      headers: { "content-type": "application/x-amz-json-1.1" },
      body: { __type: "InvalidRevisionException", message: refusal },
    });
    hook.fault(/^POST/, { status: 403, body: secrets.hook });
    const refused = await push("refused");
    for (const environment of ["heroku", "aws", "hook"]) await deploymentBecomes(shop, environment, "error", refused);

    // They take it, and the server dies while they work.
    heroku.says = `heroku says ${secrets.heroku} ${base64(secrets.heroku)}\n`;
    codedeploy.deployments = "fails";
    codedeploy.says = `codedeploy says ${secrets.awsId} ${secrets.aws} ${secrets.awsToken}\n`;
    const taken = await push("taken");
    await deploymentBecomes(shop, "heroku", "success", taken);
    await deploymentBecomes(shop, "aws", "failure", taken);
    const told = await Promise.all([hook, ci].map((one) => until("it is told", () => one.addresses.get(taken))));
    const server = await start();

    // They call back.
    const tell = async (address: string, report: object) => {
      const answer = await fetch(`${server.url}${new URL(address).pathname}`, { method: "POST", body: JSON.stringify(report) });
      expect(answer.status).toBe(200);
    };
    const words = (name: string, secret: string) => `${name} says ${secret} ${base64(secret)} ${told.join(" ")}`;
    await tell(told[0] ?? "", {
      result: "passed",
      log: words("hook", secrets.hook),
      url: `https://live.example.com/${secrets.hook}`,
      release: { [secrets.hook]: words("the release", secrets.hook) },
    });
    await tell(told[1] ?? "", { result: "failed", what: `e2e says ${secrets.ci}`, log: words("ci", secrets.ci) });
    const live = await deploymentBecomes(shop, "hook", "success", taken);
    const failed = await statusBecomes(shop, taken, "signalbox/e2e", "failure");

    const pages = await everyPage(server.url);
    await server.end("SIGTERM");
    const kept = await everythingKept(folder);
    const logged = written.map((one) => one.output()).join("\n");
    const found = { kept, shown: [...pages.values()].join("\n"), logged, told: everythingTold(github) };
    const tokens = [hook, ci]
      .flatMap(({ addresses }) => [...addresses.values()])
      .map((address) => address.split("/").at(-1) ?? "");
    const hidden = [...Object.values(secrets), "stream-secret", "upload-secret", ...tokens].flatMap((one) => [one, base64(one)]);
    for (const [place, text] of Object.entries(found))
      expect([place, hidden.filter((secret) => text.includes(secret))]).toEqual([place, []]);

    // What was looked through is what they said it in.
    for (const words of [
      "heroku says *** ***",
      "codedeploy says *** *** ***",
      "hook says *** ***",
      "the release says *** ***",
      "ci says *** ***",
    ])
      expect(kept).toContain(words);
    expect(found.shown).toMatch(
      /AWS answered InvalidRevisionException when asked to create a deployment: refused \*\*\* \*\*\* \*\*\*/,
    );
    expect([...pages.keys()].filter((path) => /^\/acme\/shop\/runs\/\d+\/log\.txt/.test(path)).length).toBeGreaterThan(6);
    expect(live.statuses.at(-1)?.environmentUrl).toBe("https://live.example.com/***");
    expect(failed.description).toMatch(/^Failed: e2e says \*\*\* after /);
    expect(logged).toContain("run ended");
  }, 120_000);
});
