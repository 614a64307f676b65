import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import nock from "nock";
import { pino } from "pino";
import { Probot } from "probot";
import { createDeployment, createDeploymentStatus, findDeployment } from "../../src/github/deployments.ts";
import { openGitHub } from "../../src/github/github.ts";
import { GitHubProblem } from "../../src/github/problem.ts";
import { createCommitStatus } from "../../src/github/statuses.ts";
import { checkedFetch, takeContractViolations } from "../support/github-contract.ts";
import { until } from "../support/until.ts";

// It patches Node itself, which the next test file of this process would find patched.
afterAll(() => nock.restore());

const api = "https://github.example/api/v3";
const shop = {
  id: 7,
  installation: 2,
  owner: "acme",
  name: "shop",
  defaultBranch: "main",
  cloneUrl: "https://github.example/acme/shop.git",
  private: false,
};
const sha = "4be07d1f05f5ce03dbbb7bcf72e68ab3a567f7ca";
const repository = "/repos/acme/shop";
const statuses = `${repository}/statuses/${sha}`;
const status = { context: "signalbox/test", state: "pending", description: "Queued", target_url: "http://127.0.0.1/1" } as const;

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});

describe("GitHub, as an installation sees it", () => {
  let now: number;
  let github: ReturnType<typeof openGitHub>;
  let lines: string[];

  beforeEach(() => {
    nock.disableNetConnect();
    now = Date.now();
    lines = [];
    github = open();
  });
  afterEach(() => {
    const [pending, violations] = [nock.pendingMocks(), takeContractViolations()];
    nock.abortPendingRequests();
    nock.cleanAll();
    nock.enableNetConnect();
    expect([...pending, ...violations]).toEqual([]);
  });

  function open({ patience = 5_000, url = api } = {}) {
    const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
    const probot = new Probot({ appId: 12, privateKey, secret: "a secret of the webhooks", baseUrl: url, log });
    const fetch = checkedFetch((input, init) => globalThis.fetch(input, init));
    return openGitHub({ probot, apiUrl: url, clock: () => now, patience, fetch });
  }

  const mints = (token: string, installation = 2) =>
    nock(api, { reqheaders: { authorization: /^bearer [\w-]+\.[\w-]+\.[\w-]+$/i } })
      .post(`/app/installations/${installation}/access_tokens`)
      .reply(201, { token, expires_at: new Date(now + 3_600_000).toISOString() });
  const withToken = (token: string) => nock(api, { reqheaders: { authorization: `token ${token}` } });
  const post = (installation = 2) => createCommitStatus(github.as(installation), shop, sha, status);
  const problemOf = (request: Promise<unknown>) =>
    request.then(
      () => null,
      (error: GitHubProblem) => error,
    );

  it("asks with the installation's token, which one request brings", async () => {
    mints("secret-1");
    withToken("secret-1").post(statuses, status).times(3).reply(201, {});
    await Promise.all([post(), post()]);
    await post();
  });

  it("asks for each installation with its own", async () => {
    mints("two", 2);
    mints("three", 3);
    withToken("two").post(statuses).reply(201, {});
    withToken("three").post(statuses).reply(201, {});
    await Promise.all([post(2), post(3)]);
    expect(github.as(2)).toBe(github.as(2));
    expect(github.as(2)).not.toBe(github.as(3));
  });

  it("gets a fresh token, once, when GitHub does not accept the one it gave", async () => {
    mints("early dead");
    mints("fresh");
    withToken("early dead").post(statuses).reply(401, { message: "Bad credentials" });
    withToken("fresh").post(statuses).twice().reply(201, {});
    await post();
    await post();
  });

  it("gives up when the fresh one is not accepted either", async () => {
    mints("one");
    mints("two");
    withToken("one").post(statuses).reply(401, { message: "Bad credentials" });
    withToken("two").post(statuses).reply(401, { message: "Bad credentials" });
    expect(await problemOf(post())).toMatchObject({ kind: "unauthorized", status: 401 });
  });

  it("sends nothing while GitHub wants a pause, and goes on after it", async () => {
    mints("one");
    withToken("one").post(statuses).reply(403, { message: "You have exceeded a secondary rate limit" }, { "retry-after": "30" });
    const retryAt = new Date(now + 30_000);
    expect(await problemOf(post())).toMatchObject({ kind: "limited", retryAt });
    now += 29_999;
    expect(await problemOf(post())).toMatchObject({ kind: "limited", retryAt, status: null });
    expect(await problemOf(github.as(2).request("GET /meta"))).toMatchObject({ kind: "limited", retryAt });
    now += 1;
    withToken("one").post(statuses).reply(201, {});
    await post();
  });

  it("lets one installation's pause not hold another one up", async () => {
    mints("two", 2);
    mints("three", 3);
    withToken("two").post(statuses).reply(429, { message: "Too many requests" });
    withToken("three").post(statuses).reply(201, {});
    expect(await problemOf(post(2))).toMatchObject({ kind: "limited", retryAt: new Date(now + 60_000) });
    await post(3);
  });

  it("sends nothing that stood in line when the pause began", async () => {
    mints("one");
    withToken("one").post(statuses).times(20).reply(201, {});
    await Promise.all(Array.from({ length: 20 }, () => post()));
    // The burst is used up, so this one stands in line while a read is refused.
    const inLine = problemOf(post());
    withToken("one")
      .get(/contents/)
      .reply(403, { message: "API rate limit exceeded" }, { "retry-after": "3600" });
    const read = github.as(2).request("GET /repos/{owner}/{repo}/contents/{path}", { owner: "acme", repo: "shop", path: "a" });
    expect(await problemOf(read)).toMatchObject({ kind: "limited" });
    expect(await inLine).toMatchObject({ kind: "limited", status: null });
  });

  it("does not wait for an answer for ever, and is patient anew with the next request", async () => {
    let asked = 0;
    const slow = createServer((request, response) => {
      const body = request.url?.endsWith("/access_tokens")
        ? { token: "one", expires_at: new Date(now + 3_600_000).toISOString() }
        : {};
      const isStatus = request.url?.includes("/statuses/") === true;
      if (isStatus) asked += 1;
      if (!isStatus || asked > 1) response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
    nock.enableNetConnect("127.0.0.1");
    const address = slow.address();
    github = open({ patience: 500, url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}` });
    try {
      expect(await problemOf(post())).toMatchObject({ kind: "unavailable", status: null, retryable: true });
      await post();
      expect(asked).toBe(2);
    } finally {
      slow.closeAllConnections();
      await new Promise((resolve) => slow.close(resolve));
    }
  });

  it.each([
    [500, "unavailable"],
    [404, "missing"],
    [422, "refused"],
  ] as const)("says what GitHub answered, asks once, and tells no token: %d", async (code, kind) => {
    mints("very-secret-token");
    withToken("very-secret-token").post(statuses).reply(code, { message: "No" });
    const problem = await problemOf(post());
    expect(problem).toBeInstanceOf(GitHubProblem);
    expect(problem).toMatchObject({ kind, status: code });
    expect(problem?.message).toBe(`GitHub answered "POST /repos/{owner}/{repo}/statuses/{sha}" with ${code}: No`);
    const told = JSON.stringify([lines, problem?.message, problem?.stack]);
    expect(told).not.toContain("very-secret-token");
  });

  it("says when it cannot get a token, and asks again the next time", async () => {
    nock(api).post("/app/installations/2/access_tokens").reply(404, { message: "Not Found" });
    expect(await problemOf(post())).toMatchObject({ kind: "withdrawn", retryable: false });
    mints("one");
    nock(api).post(statuses).reply(201, {});
    await post();
  });

  it("gets for git what can read one repository and nothing else", async () => {
    nock(api)
      .post("/app/installations/2/access_tokens", { repository_ids: [7], permissions: { contents: "read" } })
      .reply(201, { token: "narrow", expires_at: new Date(now + 3_600_000).toISOString() });
    expect(await Promise.all([github.contentsToken(2, 7), github.contentsToken(2, 7)])).toEqual(["narrow", "narrow"]);
  });

  it("knows who owns the App and what its deeds are called", async () => {
    nock(api)
      .get("/app")
      .reply(200, { slug: "signalbox", owner: { login: "acme" } });
    expect(await github.app()).toEqual({ owner: "acme", bot: "signalbox[bot]" });
  });

  describe("deployments", () => {
    const deployment = {
      sha,
      task: "deploy",
      environment: "production",
      description: "Add a cart",
      production: true,
      transient: false,
      payload: { signalbox: { run: 12 }, pull_request: 3 },
    };
    beforeEach(() => void mints("one"));

    it("are created as they are meant, without GitHub merging or judging", async () => {
      nock(api)
        .post(`${repository}/deployments`, {
          ref: sha,
          task: "deploy",
          auto_merge: false,
          required_contexts: [],
          environment: "production",
          description: "Add a cart",
          production_environment: true,
          transient_environment: false,
          payload: { signalbox: { run: 12 }, pull_request: 3 },
        })
        .reply(201, { id: 99 });
      expect(await createDeployment(github.as(2), shop, deployment)).toBe(99);
    });

    it("that GitHub merged instead of creating are tried again", async () => {
      nock(api).post(`${repository}/deployments`).reply(202, { message: "Auto-merged main into topic" });
      expect(await problemOf(createDeployment(github.as(2), shop, deployment))).toMatchObject({ retryable: true });
    });

    it("are found by our run in their payload, among others of the same commit", async () => {
      const answer = [
        { id: 1, payload: "not ours" },
        { id: 2, payload: { signalbox: { run: 11 } } },
        { id: 3, payload: JSON.stringify({ signalbox: { run: 12 } }) },
      ];
      nock(api)
        .get(`${repository}/deployments`)
        .query({ sha, environment: "production", per_page: 100 })
        .twice()
        .reply(200, answer);
      const find = (run: number) => findDeployment(github.as(2), shop, { sha, environment: "production", run });
      expect([await find(12), await find(13)]).toEqual([3, null]);
    });

    it("get statuses that leave the inactive ones to us", async () => {
      const body = { state: "success", description: "Passed in 4 s", log_url: "http://127.0.0.1/1" } as const;
      nock(api)
        .post(`${repository}/deployments/99/statuses`, { ...body, auto_inactive: false })
        .reply(201, {});
      await createDeploymentStatus(github.as(2), shop, 99, body);
    });
  });

  it("is not asked for anything that its API does not describe", async () => {
    mints("one");
    await until("there is a token", () =>
      github
        .as(2)
        .request("GET /meta")
        .catch(() => true),
    );
    nock.cleanAll();
    const tooLong = createCommitStatus(github.as(2), shop, sha, { ...status, description: "x".repeat(141) });
    expect((await problemOf(tooLong))?.message).toContain("does not fit GitHub's API");
    expect(takeContractViolations()).toHaveLength(1);
  });
});
