import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { apiOf, appToken, fields, installationToken, list } from "./client.ts";

describe("an App at the stand-in", () => {
  let github: GitHubStandIn;
  let shop: Repository;
  let secret: Repository;

  beforeAll(async () => {
    github = await startGitHub();
    shop = await github.repository({ owner: "acme", name: "shop", files: { a: "a" } });
    secret = await github.repository({
      owner: "acme",
      name: "secret",
      private: true,
      files: { a: "a" },
      permissions: { octocat: "triage" },
    });
  });
  afterAll(() => github.close());

  const now = Math.floor(Date.now() / 1000);
  const stranger = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  }).privateKey;

  it.each([
    ["that has expired", () => appToken(github, { exp: now - 1 }), /'exp'/],
    ["that lives longer than ten minutes", () => appToken(github, { exp: now + 700 }), /too far in the future/],
    ["that was issued in the future", () => appToken(github, { iat: now + 120 }), /'iat'/],
    ["of another App", () => appToken(github, { iss: 1 }), /'iss'/],
    ["signed by another key", () => appToken(github, {}, stranger), /could not be decoded/],
    ["that is garbage", () => "a.b.c", /could not be decoded/],
  ])("refuses a JSON web token %s", async (_, token, message) => {
    const answer = await apiOf(github, token())("GET", "/app");
    expect([answer.status, fields(answer.body).message]).toEqual([401, expect.stringMatching(message)]);
  });

  it("accepts the client id as issuer, and says who it is", async () => {
    const { body } = await apiOf(github, appToken(github, { iss: github.app.clientId }))("GET", "/app");
    expect(body).toMatchObject({
      id: github.app.id,
      slug: "signalbox",
      owner: { login: "acme" },
      permissions: { statuses: "write" },
    });
  });

  it("gives tokens that expire after an hour", async () => {
    const token = await installationToken(github);
    const api = apiOf(github, token);
    expect((await api("GET", "/repos/acme/secret")).status).toBe(200);
    github.advance(3_599_000);
    expect((await api("GET", "/repos/acme/secret")).status).toBe(200);
    github.advance(2_000);
    const late = await api("GET", "/repos/acme/secret");
    expect([late.status, fields(late.body).message]).toEqual([401, "Bad credentials"]);
  });

  it("gives tokens for some repositories and permissions only", async () => {
    const narrow = apiOf(
      github,
      await installationToken(github, { repository_ids: [shop.id], permissions: { contents: "read" } }),
    );
    expect((await narrow("GET", "/repos/acme/shop/contents/a")).status).toBe(200);
    expect((await narrow("GET", "/repos/acme/secret/contents/a")).status).toBe(404);
    const status = await narrow("POST", `/repos/acme/shop/statuses/${await shop.head()}`, { state: "success" });
    expect([status.status, fields(status.body).message]).toEqual([403, "Resource not accessible by integration"]);
    const { body } = await narrow("GET", "/installation/repositories");
    expect(body).toMatchObject({ total_count: 1, repositories: [{ full_name: "acme/shop" }] });
  });

  it("gives no token for what the App does not have", async () => {
    const app = apiOf(github, appToken(github));
    const [installation] = await list(app("GET", "/app/installations"));
    const path = `/app/installations/${installation?.id}/access_tokens`;
    expect((await app("POST", path, { permissions: { contents: "write" } })).status).toBe(422);
    expect((await app("POST", path, { repository_ids: [1] })).status).toBe(422);
    expect((await app("POST", "/app/installations/1/access_tokens")).status).toBe(404);
  });

  it("hides a repository that it was removed from", async () => {
    const api = apiOf(github, await installationToken(github));
    secret.uninstall();
    expect((await api("GET", "/repos/acme/secret")).status).toBe(404);
    expect((await apiOf(github, appToken(github))("GET", "/repos/acme/secret/installation")).status).toBe(404);
    secret.install();
    expect((await api("GET", "/repos/acme/secret")).status).toBe(200);
  });

  it("hides private repositories from strangers and shows public ones to everybody", async () => {
    const stranger = apiOf(github, github.person("stranger").token);
    expect((await stranger("GET", "/repos/acme/secret")).status).toBe(404);
    expect((await apiOf(github)("GET", "/repos/acme/secret")).status).toBe(404);
    expect((await apiOf(github)("GET", "/repos/acme/shop")).status).toBe(200);
    expect((await apiOf(github, "nonsense")("GET", "/repos/acme/shop")).status).toBe(401);
    expect((await stranger("POST", `/repos/acme/shop/statuses/${await shop.head()}`, { state: "success" })).status).toBe(403);
  });

  it.each([
    ["octocat", "secret", "read", "triage"],
    ["stranger", "secret", "none", "none"],
    ["stranger", "shop", "read", "read"],
  ])("says that %s has on %s the permission %s as %s", async (login, name, permission, role) => {
    github.person(login);
    const { body } = await apiOf(github, await installationToken(github))(
      "GET",
      `/repos/acme/${name}/collaborators/${login}/permission`,
    );
    expect(body).toMatchObject({ permission, role_name: role, user: { login, id: github.person(login).id } });
  });

  it("does not tell an installation who it is", async () => {
    expect((await apiOf(github, await installationToken(github))("GET", "/user")).status).toBe(403);
    expect((await apiOf(github, github.person("octocat").token)("GET", "/user")).body).toMatchObject({ login: "octocat" });
  });

  it("counts requests, in its headers and for tests", async () => {
    const api = apiOf(github, await installationToken(github));
    const before = github.requests.length;
    const first = await api("GET", "/repos/acme/shop");
    const second = await api("GET", "/repos/acme/nothing?x=1");
    expect([first, second].map(({ headers }) => headers.get("x-ratelimit-remaining"))).toEqual(["4999", "4998"]);
    expect(github.requests.slice(before)).toMatchObject([
      { method: "GET", path: "/repos/acme/shop", status: 200 },
      { method: "GET", path: "/repos/acme/nothing?x=1", status: 404 },
    ]);
  });

  it("answers broken bodies and unknown addresses as GitHub does", async () => {
    const api = apiOf(github, await installationToken(github));
    const broken = await api("POST", `/repos/acme/shop/statuses/${await shop.head()}`, "{");
    expect([broken.status, fields(broken.body).message]).toEqual([400, "Problems parsing JSON"]);
    expect((await fetch(`${github.url}/api/v3/nothing`)).status).toBe(404);
    expect((await fetch(`${github.url}/api/v3/repos/acme/shop/pulls/one`)).status).toBe(404);
    expect((await fetch(`${github.url}/%E0%A4%A`)).status).toBe(404);
  });

  it("fails on demand, as often as asked", async () => {
    const api = apiOf(github, await installationToken(github));
    const wish = { ref: "main", auto_merge: false, required_contexts: [] };
    github.fault({ method: "POST", path: /\/deployments$/, times: 2, answer: { status: 502, headers: { "Retry-After": "1" } } });
    github.fault({ method: "POST", path: /\/deployments$/, answer: "cut" });
    github.fault({ method: "POST", path: /\/deployments$/, answer: "cut after" });
    github.fault({ method: "POST", path: /\/deployments$/, answer: { delay: 20 } });
    const refused = await api("POST", "/repos/acme/shop/deployments", wish);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([502, "1"]);
    expect((await api("POST", "/repos/acme/shop/deployments", wish)).status).toBe(502);
    await expect(api("POST", "/repos/acme/shop/deployments", wish)).rejects.toThrow("fetch failed");
    expect(shop.deployments()).toHaveLength(0);
    await expect(api("POST", "/repos/acme/shop/deployments", wish)).rejects.toThrow("fetch failed");
    expect(shop.deployments()).toHaveLength(1);
    expect((await api("POST", "/repos/acme/shop/deployments", wish)).status).toBe(201);
  });

  it("hangs on demand until the caller gives up", async () => {
    github.fault({ answer: "hang" });
    const before = github.requests.length;
    const giveUp = new AbortController();
    const asked = fetch(`${github.url}/api/v3/repos/acme/shop`, { signal: giveUp.signal });
    while (github.requests.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
    giveUp.abort();
    await expect(asked).rejects.toThrow();
    expect(github.requests.at(-1)).toMatchObject({ status: 0 });
  });
});
