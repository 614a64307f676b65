import { generateKeyPairSync } from "node:crypto";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import nock from "nock";
import { pino } from "pino";
import { Probot } from "probot";
import { readFile } from "../../src/github/contents.ts";
import { createDeployment } from "../../src/github/deployments.ts";
import { openGitHub } from "../../src/github/github.ts";
import type { GitHubProblem } from "../../src/github/problem.ts";
import { createCommitStatus } from "../../src/github/statuses.ts";
import { checkedFetch, takeContractViolations } from "../support/github-contract.ts";

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
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});

const start = Date.parse("2026-11-22T12:00:00Z");
const epoch = (seconds: number) => String(start / 1_000 + seconds);
const left = (remaining: string, reset: string) => ({ "x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset });
const secondary = "You have exceeded a secondary rate limit";
const permission = "Resource not accessible by integration";

let now: number;
let github: ReturnType<typeof openGitHub>;
beforeEach(() => {
  nock.disableNetConnect();
  now = start;
  const probot = new Probot({ appId: 12, privateKey, secret: "x", baseUrl: api, log: pino({ level: "silent" }) });
  const fetch = checkedFetch((input, init) => globalThis.fetch(input, init));
  github = openGitHub({ probot, apiUrl: api, clock: () => now, fetch });
});
afterEach(() => {
  const [pending, violations] = [nock.pendingMocks(), takeContractViolations()];
  nock.cleanAll();
  nock.enableNetConnect();
  expect([...pending, ...violations]).toEqual([]);
});

/** What is asked of GitHub, one of each kind: a read, a report and a deed. */
const requests = [
  {
    what: "a read",
    method: "GET",
    path: "/repos/acme/shop/contents/a?ref=main",
    good: [200, { type: "file", encoding: "base64", content: "" }] as const,
    send: () => readFile(github.as(2), shop, "a", "main"),
  },
  {
    what: "a report",
    method: "POST",
    path: `/repos/acme/shop/statuses/${sha}`,
    good: [201, {}] as const,
    send: () =>
      createCommitStatus(github.as(2), shop, sha, { context: "c", state: "success", description: "", target_url: "http://x/" }),
  },
  {
    what: "a deed",
    method: "POST",
    path: "/repos/acme/shop/deployments",
    good: [201, { id: 5 }] as const,
    send: () =>
      createDeployment(github.as(2), shop, {
        sha,
        task: "deploy",
        environment: "staging",
        description: "",
        production: false,
        transient: false,
        payload: { signalbox: { run: 1 } },
      }),
  },
];

interface BadDay {
  readonly day: string;
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly kind: GitHubProblem["kind"];
  /** Seconds in which nothing is asked. */
  readonly quiet?: number;
}

const badDays: readonly BadDay[] = [
  ...[500, 502, 503, 504].map((status) => ({ day: "it is down", status, message: "Server Error", kind: "unavailable" as const })),
  ...[403, 429].flatMap((status): BadDay[] => [
    {
      day: "a secondary limit with its time",
      status,
      message: secondary,
      headers: { "retry-after": "30" },
      kind: "limited",
      quiet: 30,
    },
    { day: "a secondary limit without", status, message: secondary, kind: "limited", quiet: 60 },
    {
      day: "a secondary limit with requests left",
      status,
      message: secondary,
      headers: left("4000", epoch(900)),
      kind: "limited",
      quiet: 60,
    },
    {
      day: "a time and nothing left",
      status,
      message: secondary,
      headers: { "retry-after": "90", ...left("0", epoch(900)) },
      kind: "limited",
      quiet: 90,
    },
    {
      day: "the primary limit",
      status,
      message: "API rate limit exceeded",
      headers: left("0", epoch(900)),
      kind: "limited",
      quiet: 900,
    },
    {
      day: "the primary limit, whose hour is over",
      status,
      message: "API rate limit exceeded",
      headers: left("0", epoch(-9)),
      kind: "limited",
      quiet: 60,
    },
    {
      day: "the primary limit, by a clock that is ten minutes before ours",
      status,
      message: "API rate limit exceeded",
      headers: { ...left("0", epoch(-300)), date: new Date(start - 600_000).toUTCString() },
      kind: "limited",
      quiet: 300,
    },
  ]),
  { day: "a permission that the App lacks", status: 403, message: permission, kind: "forbidden" },
  {
    day: "new permissions that were not accepted",
    status: 403,
    message: permission,
    headers: { "x-accepted-github-permissions": "statuses=write" },
    kind: "forbidden",
  },
  { day: "a suspended installation", status: 403, message: "This installation has been suspended", kind: "withdrawn" },
  { day: "a commit that is gone", status: 422, message: "No commit found for SHA", kind: "refused" },
];

describe.each(requests)("$what, when GitHub has a bad day", ({ method, path, good, send }) => {
  const mints = (times = 1) =>
    nock(api)
      .post("/app/installations/2/access_tokens")
      .times(times)
      .reply(201, () => ({ token: "one", expires_at: new Date(now + 3_600_000).toISOString() }));
  const answers = (status: number, message: string, headers: Readonly<Record<string, string>> = {}) =>
    nock(api).intercept(path, method).reply(status, { message }, headers);
  const isWell = () => nock(api).intercept(path, method).reply(good[0], good[1]);
  const problemOf = () =>
    send().then(
      () => null,
      (error: GitHubProblem) => error,
    );

  it.each(badDays)("$status, $day: is $kind, asked once, and quiet as long as GitHub wants", async (bad) => {
    mints(bad.kind === "forbidden" ? 2 : 1);
    answers(bad.status, bad.message, bad.headers);
    const problem = await problemOf();
    const retryAt = bad.quiet === undefined ? null : new Date(start + bad.quiet * 1_000);
    expect(problem).toMatchObject({ kind: bad.kind, status: bad.status, retryAt });
    if (bad.quiet !== undefined) {
      now += bad.quiet * 1_000 - 1;
      expect(await problemOf()).toMatchObject({ kind: "limited", status: null });
      now += 1;
    }
    isWell();
    expect(await problemOf()).toBeNull();
  });

  it("names the permission that it would have needed", async () => {
    mints();
    answers(403, permission, { "x-accepted-github-permissions": "statuses=write" });
    expect((await problemOf())?.message).toContain(
      "The App lacks the permission statuses=write, or the installation has not accepted its new permissions yet",
    );
  });

  it("waits twice as long each time a secondary limit comes without a time, and a minute again after a success", async () => {
    mints();
    for (const minutes of [1, 2, 4]) {
      answers(403, secondary);
      expect(await problemOf()).toMatchObject({ retryAt: new Date(now + minutes * 60_000) });
      now += minutes * 60_000;
    }
    isWell();
    expect(await problemOf()).toBeNull();
    answers(403, secondary);
    expect(await problemOf()).toMatchObject({ retryAt: new Date(now + 60_000) });
  });

  it("is a cut connection: nobody answered, and the next one goes through", async () => {
    mints();
    nock(api).intercept(path, method).replyWithError(new Error("read ECONNRESET"));
    expect(await problemOf()).toMatchObject({ kind: "unavailable", status: null, retryable: true });
    isWell();
    expect(await problemOf()).toBeNull();
  });

  it("is a token that expired early: a fresh one is minted, once", async () => {
    mints(2);
    answers(401, "Bad credentials");
    isWell();
    expect(await problemOf()).toBeNull();
  });

  it("is an installation that was removed: no token is to be had", async () => {
    nock(api).post("/app/installations/2/access_tokens").reply(404, { message: "Not Found" });
    expect(await problemOf()).toMatchObject({ kind: "withdrawn", retryable: false });
  });

  it("asks no more in the hour in which nothing is left, although the last answer was a good one", async () => {
    mints();
    nock(api)
      .intercept(path, method)
      .reply(good[0], good[1], { ...left("0", epoch(600)), date: new Date(start).toUTCString() });
    expect(await problemOf()).toBeNull();
    expect(await problemOf()).toMatchObject({ kind: "limited", retryAt: new Date(start + 600_000) });
  });

  it.each([301, 302, 307, 308])(
    "follows a repository that was renamed or transferred with the same request: %d",
    async (status) => {
      mints();
      const [route = "", query = ""] = path.split("?");
      const moved = `${route.replace("/repos/acme/shop", "/repositories/7")}${query === "" ? "" : `?${query}`}`;
      nock(api)
        .intercept(path, method)
        .reply(status, { message: "Moved" }, { location: `${api}${moved}` });
      nock(api, { reqheaders: { authorization: "token one" } })
        .intercept(moved, method)
        .reply(good[0], good[1]);
      expect(await problemOf()).toBeNull();
    },
  );

  it("does not follow to another host, which would hear the token", async () => {
    mints();
    nock(api).intercept(path, method).reply(307, { message: "Moved" }, { location: "https://elsewhere.example/" });
    expect((await problemOf())?.message).toContain("another host, elsewhere.example");
  });
});

describe("what was read before", () => {
  it("is asked for with its mark, and costs nothing when it has not changed", async () => {
    nock(api)
      .post("/app/installations/2/access_tokens")
      .reply(201, { token: "one", expires_at: new Date(now + 3_600_000).toISOString() });
    const file = { type: "file", encoding: "base64", content: Buffer.from("hello").toString("base64") };
    const path = "/repos/acme/shop/contents/a?ref=main";
    nock(api).get(path).reply(200, file, { etag: '"1"' });
    const read = () => readFile(github.as(2), shop, "a", "main");
    expect(await read()).toEqual({ kind: "text", text: "hello" });
    nock(api, { reqheaders: { "if-none-match": '"1"' } })
      .get(path)
      .reply(304);
    expect(await read()).toEqual({ kind: "text", text: "hello" });
    const changed = { ...file, content: Buffer.from("bye").toString("base64") };
    nock(api, { reqheaders: { "if-none-match": '"1"' } })
      .get(path)
      .reply(200, changed, { etag: '"2"' });
    expect(await read()).toEqual({ kind: "text", text: "bye" });
  });
});
