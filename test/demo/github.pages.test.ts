import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { apiOf, fields } from "./client.ts";

describe("the pages of the stand-in", () => {
  let github: GitHubStandIn;
  let repository: Repository;
  const hostile = `<script>alert("1")</script>`;

  beforeAll(async () => {
    github = await startGitHub();
    repository = await github.repository({
      owner: "acme",
      name: "shop",
      files: { a: "a" },
      permissions: { octocat: "write", reader: "read" },
    });
    const sha = await repository.commit({ branch: "topic", files: { b: "b" }, message: hostile, author: "octocat" });
    await repository.openPullRequest({ title: hostile, body: hostile, head: "topic", author: "octocat" });
    const octocat = apiOf(github, github.person("octocat").token);
    await octocat("POST", `/repos/acme/shop/statuses/${sha}`, {
      state: "failure",
      context: hostile,
      target_url: "http://127.0.0.1/run/1",
    });
    const id = await repository.createDeployment({ by: "octocat", ref: sha, environment: hostile });
    await octocat("POST", `/repos/acme/shop/deployments/${id}/statuses`, {
      state: "success",
      environment_url: "http://127.0.0.1/site",
    });
  });
  afterAll(() => github.close());

  const read = async (path: string) => (await fetch(github.url + path)).text();
  const submit = (path: string, form: Record<string, string>, origin = github.url) =>
    fetch(github.url + path, {
      method: "POST",
      body: new URLSearchParams(form),
      headers: { Origin: origin },
      redirect: "manual",
    });

  it.each(["/", "/acme/shop", "/acme/shop/pull/1"])("%s shows what there is, everything escaped", async (path) => {
    const page = await read(path);
    expect(page).toContain("shop");
    expect(page).not.toContain("<script");
    expect((await fetch(github.url + path)).headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  it("shows statuses and deployments with their links", async () => {
    const page = await read("/acme/shop/pull/1");
    expect(page).toContain(`<a href="http://127.0.0.1/run/1">`);
    expect(page).toContain(`<a href="http://127.0.0.1/site">`);
  });

  it("takes comments and merges from people who may", async () => {
    expect((await submit("/acme/shop/pull/1/comment", { by: "reader", body: "/help" })).status).toBe(303);
    expect(repository.comments(1)).toMatchObject([{ author: { login: "reader" }, body: "/help" }]);
    expect((await submit("/acme/shop/pull/1/merge", { by: "reader" })).status).toBe(403);
    expect((await submit("/acme/shop/pull/1/merge", { by: "octocat" }, "http://evil.example")).status).toBe(403);
    expect(repository.pullRequest(1).merged).toBeNull();
    expect((await submit("/acme/shop/pull/1/close", { by: "octocat" })).status).toBe(303);
    expect((await submit("/acme/shop/pull/1/reopen", { by: "octocat" })).status).toBe(303);
    expect((await submit("/acme/shop/pull/1/merge", { by: "octocat" })).status).toBe(303);
    expect(repository.pullRequest(1).merged).toMatchObject({ by: { login: "octocat" }, sha: await repository.head() });
    expect(await read("/acme/shop/pull/1")).toContain("Merged by octocat");
  });

  it.each(["/acme/nothing", "/acme/shop/pull/9", "/acme/shop/pull/x"])("%s is not found", async (path) => {
    expect((await fetch(github.url + path)).status).toBe(404);
  });

  it("show private repositories too: whoever sits here may be anybody", async () => {
    await github.repository({ owner: "acme", name: "secret", private: true, files: { a: "a" } });
    expect(await read("/acme/secret")).toContain("acme/secret");
  });
});

describe("signing in at the stand-in", () => {
  let github: GitHubStandIn;
  const callback = "http://127.0.0.1:1/login/callback";
  const verifier = "v".repeat(43);
  const challenge = createHash("sha256").update(verifier).digest("base64url");

  beforeAll(async () => {
    github = await startGitHub();
    github.person("octocat");
  });
  afterAll(() => github.close());

  const authorize = (more: Record<string, string>) => {
    const query = { client_id: github.app.clientId, redirect_uri: callback, state: "s&t=1", ...more };
    return fetch(`${github.url}/login/oauth/authorize?${new URLSearchParams(query)}`, { redirect: "manual" });
  };
  const codeFor = async (more: Record<string, string> = {}) => {
    const target = new URL((await authorize({ login: "octocat", ...more })).headers.get("location") ?? "");
    return target.searchParams.get("code") ?? "";
  };
  const exchange = async (more: Record<string, string>) => {
    const body = new URLSearchParams({ client_id: github.app.clientId, client_secret: github.app.clientSecret, ...more });
    const answer = await fetch(`${github.url}/login/oauth/access_token`, {
      method: "POST",
      body,
      headers: { Accept: "application/json" },
    });
    return fields(await answer.json());
  };

  it("asks who it is, with a button for each person", async () => {
    const page = await (await authorize({})).text();
    expect(page).toMatch(/<a class="button" href="[^"]*login=octocat">octocat<\/a>/);
    expect(page).not.toContain("signalbox[bot]</a>");
  });

  it("leads back with the state, and gives a token that says who it is", async () => {
    const answer = await authorize({ login: "octocat", code_challenge: challenge, code_challenge_method: "S256" });
    const target = new URL(answer.headers.get("location") ?? "");
    expect([answer.status, target.searchParams.get("state"), target.origin + target.pathname]).toEqual([302, "s&t=1", callback]);
    const { access_token } = await exchange({
      code: target.searchParams.get("code") ?? "",
      redirect_uri: callback,
      code_verifier: verifier,
    });
    const { body } = await apiOf(github, String(access_token))("GET", "/user");
    expect(body).toMatchObject({ login: "octocat", id: github.person("octocat").id });
  });

  it("takes a code once, and not after ten minutes", async () => {
    const code = await codeFor();
    expect(await exchange({ code })).toMatchObject({ token_type: "bearer" });
    expect(await exchange({ code })).toMatchObject({ error: "bad_verification_code" });
    const late = await codeFor();
    github.advance(600_001);
    expect(await exchange({ code: late })).toMatchObject({ error: "bad_verification_code" });
  });

  it.each([
    ["the secret", { client_secret: "wrong" }, "incorrect_client_credentials"],
    ["the verifier", { code_verifier: "wrong" }, "bad_verification_code"],
    ["the address", { code_verifier: verifier, redirect_uri: "http://evil.example" }, "redirect_uri_mismatch"],
    ["the code", { code: "wrong" }, "bad_verification_code"],
  ])("refuses when %s is wrong", async (_, wrong, error) => {
    const code = await codeFor({ code_challenge: challenge, code_challenge_method: "S256" });
    expect(await exchange({ code, ...wrong })).toMatchObject({ error });
  });

  it("knows no other App and needs an address to lead back to", async () => {
    expect((await authorize({ client_id: "other" })).status).toBe(404);
    expect((await authorize({ redirect_uri: "nowhere" })).status).toBe(400);
  });

  it("gives a token that sees what both the person and the App may see", async () => {
    const shop = await github.repository({
      owner: "acme",
      name: "shop",
      private: true,
      files: { a: "a" },
      permissions: { octocat: "admin" },
    });
    const signedIn = apiOf(github, String((await exchange({ code: await codeFor() })).access_token));
    expect((await signedIn("GET", "/repos/acme/shop")).body).toMatchObject({ permissions: { admin: true } });
    expect((await signedIn("PUT", "/repos/acme/shop/pulls/1/merge", {})).status).toBe(403);
    shop.uninstall();
    expect((await signedIn("GET", "/repos/acme/shop")).status).toBe(404);
  });
});
