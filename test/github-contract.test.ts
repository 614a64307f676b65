import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "@jest/globals";
import { ProbotOctokit } from "probot";
import { startGitHub } from "../demo/github/github.ts";
import {
  checkedFetch,
  requestProblems,
  responseProblems,
  takeContractViolations,
  webhookProblems,
} from "./support/github-contract.ts";

const statuses = "/repos/acme/shop/statuses/4be07d1f05f5ce03dbbb7bcf72e68ab3a567f7ca";
const deployments = "/repos/acme/shop/deployments";
const notUsed = "is none of the operations that we use (test/support/github-contract/used.ts)";

describe("a request that fits GitHub's API has no problems", () => {
  it.each([
    ["POST", statuses, { state: "pending", context: "signalbox/test", description: "x".repeat(140), target_url: "http://x/1" }],
    ["POST", statuses, { state: "pending", description: null }],
    ["POST", deployments, { ref: "main", payload: { signalbox: { run: 12 } }, required_contexts: [], auto_merge: false }],
    ["POST", deployments, { ref: "main", payload: "not JSON", description: null, transient_environment: true }],
    ["POST", `${deployments}/7/statuses`, { state: "in_progress", log_url: "http://x/1", auto_inactive: true }],
    ["GET", `${deployments}?sha=4be07d1&environment=staging&per_page=100&page=2`, undefined],
    ["DELETE", "/repos/acme/shop/environments/preview%2Fpr-12", undefined],
    ["POST", "/app/installations/2/access_tokens", { repository_ids: [186853002], permissions: { contents: "read" } }],
    ["POST", "/app/installations/2/access_tokens", undefined],
    ["POST", "/app/hook/deliveries/12345678/attempts", undefined],
    ["GET", "/repos/acme/shop/contents/.github/signalbox.yml?ref=main", undefined],
    ["GET", "/repos/acme/shop/contents/", undefined],
    ["GET", "/repos/acme/shop/compare/main...octocat%3Aa%2Fb", undefined],
    ["GET", "/repos/acme/shop/git/ref/heads/feature/cart", undefined],
    ["GET", "/repos/acme/shop/commits/heads/main/check-runs?filter=latest&app_id=4", undefined],
    ["PUT", "/repos/acme/shop/pulls/12/merge", { sha: "4be07d1", merge_method: "squash" }],
    ["PATCH", "/repos/acme/shop/check-runs/5", { conclusion: "success", output: { summary: "Passed" } }],
  ])("%s %s %j", (method, path, body) => {
    expect(requestProblems({ method, path, body })).toEqual([]);
  });
});

describe("a request that does not fit is told what is wrong with it", () => {
  it.each([
    ["GET", "/repos/acme/shop/statuses", undefined, [notUsed]],
    ["DELETE", "/repos/acme/shop", undefined, [notUsed]],
    ["GET", "/repos/acme/shop/", undefined, [notUsed]],
    ["POST", statuses, undefined, ["body is missing"]],
    ["POST", statuses, {}, ["body must have required property 'state'"]],
    ["POST", statuses, { state: "passed" }, [`body.state must be one of ["error","failure","pending","success"]`]],
    [
      "POST",
      statuses,
      { state: "error", description: "x".repeat(141) },
      ["body.description must NOT have more than 140 characters"],
    ],
    ["POST", statuses, { state: "error", log_url: "http://x" }, ["body.log_url is not known to GitHub"]],
    ["POST", statuses, "state=error", ["body must be object"]],
    ["POST", deployments, { ref: null }, ["body.ref must be string"]],
    ["POST", deployments, { ref: "main", required_contexts: "ci" }, ["body.required_contexts must be array"]],
    [
      "POST",
      `${deployments}/7/statuses`,
      { state: "success", description: "x".repeat(141) },
      ["body.description must NOT have more than 140 characters"],
    ],
    [
      "POST",
      "/app/installations/2/access_tokens",
      { permissions: { contents: "all", foo: "read" } },
      ["body.permissions.foo is not known to GitHub", `body.permissions.contents must be one of ["read","write"]`],
    ],
    [
      "POST",
      "/repos/acme/shop/check-runs",
      { name: "test", head_sha: "4be07d1", output: { title: "t", summary: "s", colour: "red" } },
      ["body.output.colour is not known to GitHub"],
    ],
    ["POST", "/app/hook/deliveries/1/attempts", { force: true }, ["body is not known to GitHub"]],
    ["POST", "/app/hook/deliveries/6f1a-guid/attempts", undefined, ["path.delivery_id must be integer"]],
    ["GET", "/repos/acme/shop/pulls/twelve", undefined, ["path.pull_number must be integer"]],
    ["GET", "/repos/acme/shop/pulls?per_page=101", undefined, ["query.per_page must be <= 100"]],
    ["GET", "/repos/acme/shop/pulls?state=merged", undefined, [`query.state must be one of ["open","closed","all"]`]],
    ["GET", "/repos/acme/shop/pulls?limit=5", undefined, ["query.limit is not known to GitHub"]],
    ["GET", "/repos/acme/shop/pulls?head=a&head=b", undefined, ["query.head stands there 2 times"]],
    ["GET", "/repos/acme/shop/contents/100%.yml", undefined, ["path.path is not percent-encoded as it should be"]],
    ["GET", "/repos/acme/shop/compare/main..topic", undefined, [String.raw`path.basehead must match pattern "^.+\.\.\..+$"`]],
  ])("%s %s %j", (method, path, body, problems) => {
    expect(requestProblems({ method, path, body })).toEqual(problems);
  });
});

describe("an answer is checked by its status", () => {
  it.each([
    ["GET", "/repos/acme/shop/git/ref/heads/main", 200, reference({}), []],
    ["GET", "/repos/acme/shop/git/ref/heads/main", 200, { ...reference({}), added_by_github: 1 }, []],
    ["GET", "/repos/acme/shop/git/ref/heads/main", 200, reference({ type: 7 }), ["body.object.type must be string"]],
    ["GET", "/repos/acme/shop/git/ref/heads/main", 200, "refs", ["body must be object"]],
    ["GET", "/repos/acme/shop/contents/README.md", 200, "# Shop", []],
    ["GET", "/app/hook/deliveries", 200, [{ id: 1 }], expect.arrayContaining(["body.0 must have required property 'guid'"])],
    ["POST", "/app/hook/deliveries/1/attempts", 202, {}, []],
    ["POST", "/app/hook/deliveries/1/attempts", 200, {}, ["200 is no answer to it; GitHub gives 202, 400, 422"]],
    ["DELETE", "/repos/acme/shop/deployments/7", 204, undefined, []],
    ["DELETE", "/repos/acme/shop/deployments/7", 204, { ok: true }, ["204 has no body"]],
    ["POST", "/repos/acme/shop/deployments", 409, { message: "Conflict merging main into topic" }, []],
    ["POST", "/repos/acme/shop/deployments", 202, [], ["body must be object"]],
    ["POST", statuses, 401, { message: "Bad credentials" }, []],
    ["POST", statuses, 403, {}, ["body must have required property 'message'"]],
    ["POST", statuses, 502, "<html>", []],
    ["GET", "/repos/acme/shop/statuses", 200, [], [notUsed]],
  ])("%s %s %d %j", (method, path, status, body, problems) => {
    expect(responseProblems({ method, path, status, body })).toEqual(problems);
  });
});

describe("a webhook's payload is checked by event and action", () => {
  it.each([
    ["unknown_event", {}, ["unknown_event$event is not among GitHub's webhook schemas"]],
    ["pull_request", { action: "merged" }, ["pull_request$merged is not among GitHub's webhook schemas"]],
    ["pull_request", {}, ["pull_request$event is not among GitHub's webhook schemas"]],
    ["pull_request", { action: "opened" }, expect.arrayContaining(["payload must have required property 'pull_request'"])],
    ["push", { surprise: 1 }, expect.arrayContaining(["payload.surprise is not known to GitHub"])],
    ["push", "text", ["payload must be object"]],
  ])("%s %j", (event, payload, problems) => {
    expect(webhookProblems(event, payload)).toEqual(problems);
  });
});

describe("a fetch that checks", () => {
  it("sends what fits, on github.com and on an enterprise server, and leaves signing in alone", async () => {
    const { octokit, sent } = octokitWith("https://api.github.com");
    await octokit.request("GET /repos/{owner}/{repo}/pulls", { owner: "acme", repo: "shop", head: "acme:topic" });
    const enterprise = octokitWith("https://github.example.com/api/v3");
    await enterprise.octokit.request("POST /repos/{owner}/{repo}/deployments", { owner: "acme", repo: "shop", ref: "main" });
    await enterprise.octokit.request("POST https://github.example.com/login/oauth/access_token", { code: "1" });

    expect([...sent, ...enterprise.sent]).toEqual([
      "https://api.github.com/repos/acme/shop/pulls?head=acme%3Atopic",
      "https://github.example.com/api/v3/repos/acme/shop/deployments",
      "https://github.example.com/login/oauth/access_token",
    ]);
    expect(takeContractViolations()).toEqual([]);
  });

  it("throws before it sends what does not fit, and keeps it for those who swallow the error", async () => {
    const { octokit, sent } = octokitWith("https://api.github.com");
    const violation = `POST ${statuses} does not fit GitHub's API: body.colour is not known to GitHub; body.state must be string`;

    const request = octokit.request(`POST ${statuses}`, { state: 1, colour: "red" });

    await expect(request).rejects.toThrow("does not fit GitHub's API: body.colour is not known to GitHub");
    expect(sent).toEqual([]);
    expect(takeContractViolations()).toEqual([expect.stringContaining(violation)]);
    expect(takeContractViolations()).toEqual([]);
  });
});

describe("a stand-in for GitHub", () => {
  it("has everything checked that it is asked, also by processes of their own", async () => {
    const github = await startGitHub();
    const ask = (path: string, init: object) =>
      `await fetch(${JSON.stringify(`${github.url}/api/v3${path}`)}, ${JSON.stringify(init)});`;
    const source = ask("/meta", {}) + ask(statuses, { method: "POST", body: `{"state":"green"}` }) + ask("/nothing", {});
    const child = spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: "inherit" });
    await once(child, "close");
    await github.close();
    expect(takeContractViolations()).toEqual([
      expect.stringContaining(`POST ${statuses} does not fit GitHub's API: body.state must be one of`),
      expect.stringContaining("GET /nothing does not fit GitHub's API: is none of the operations that we use"),
    ]);
  });
});

function octokitWith(baseUrl: string) {
  const sent: string[] = [];
  const fetch = checkedFetch(async (input) => {
    sent.push(String(input));
    return Response.json({});
  });
  return {
    octokit: new ProbotOctokit({ baseUrl, request: { fetch }, retry: { enabled: false }, throttle: { enabled: false } }),
    sent,
  };
}

function reference(changed: { type?: unknown }) {
  const object = { type: "commit", sha: "4be07d1f05f5ce03dbbb7bcf72e68ab3a567f7ca", url: "https://api.github.com/x", ...changed };
  return { ref: "refs/heads/main", node_id: "MDM6UmVm", url: "https://api.github.com/y", object };
}
