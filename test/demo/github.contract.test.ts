import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { webhookProblems } from "../support/github-contract.ts";
import { type Api, apiOf, appToken, fields, installationToken, type Receiver, receiveWebhooks } from "./client.ts";

/** `apiOf` throws when an answer does not fit, so most tests here only have to ask. */
describe("everything that the stand-in says fits GitHub's own schemas", () => {
  let github: GitHubStandIn;
  let receiver: Receiver;
  let repository: Repository;
  let api: Api;
  let sha: string;

  beforeAll(async () => {
    github = await startGitHub({ permissions: { ...everything }, events });
    receiver = await receiveWebhooks(github);
    repository = await github.repository({
      owner: "acme",
      name: "shop",
      files: { "README.md": "# Shop\n", "src/a.txt": "a\n" },
      permissions: { octocat: "admin" },
    });
    await repository.commit({
      branch: "topic",
      files: { "src/b.txt": "b\n", "src/a.txt": null },
      message: "Add b",
      author: "octocat",
    });
    await repository.openPullRequest({ title: "Add b", head: "topic", author: "octocat", body: "Please", draft: true });
    api = apiOf(github, await installationToken(github));
    sha = await repository.head("topic");
  });

  afterAll(async () => {
    await github.close();
    await receiver.close();
  });

  it("about the App", async () => {
    const app = apiOf(github, appToken(github));
    await app("GET", "/app");
    await app("GET", "/app/installations");
    await app("GET", "/repos/acme/shop/installation");
    await github.idle();
    const { body } = await app("GET", "/app/hook/deliveries?per_page=1");
    const [delivery] = Array.isArray(body) ? body.map(fields) : [];
    await app("GET", `/app/hook/deliveries/${delivery?.id}`);
    await app("POST", `/app/hook/deliveries/${delivery?.id}/attempts`);
    const token = await app(
      "POST",
      `/app/installations/${fields(fields(receiver.received[0]?.payload).installation).id}/access_tokens`,
      {
        repository_ids: [repository.id],
        permissions: { contents: "read" },
      },
    );
    expect(fields(token.body).permissions).toEqual({ contents: "read", metadata: "read" });
    await api("GET", "/installation/repositories");
  });

  it.each([
    "",
    "/contents/README.md",
    "/contents/README.md?ref=topic",
    "/contents/src",
    "/commits",
    "/commits/main",
    "/commits/topic/status",
    "/commits/topic/statuses",
    "/commits/topic/check-runs",
    "/compare/main...topic",
    "/git/trees/main?recursive=1",
    "/git/ref/heads/main",
    "/branches/main",
    "/rules/branches/main",
    "/pulls?state=all",
    "/pulls/1",
    "/pulls/1/files",
    "/pulls/1/reviews",
    "/deployments",
    "/issues/1/comments",
    "/collaborators/octocat/permission",
  ])("GET /repos/acme/shop%s", async (path) => {
    expect((await api("GET", `/repos/acme/shop${path}`)).status).toBe(200);
  });

  it("commits by their SHA", async () => {
    await api("GET", `/repos/acme/shop/git/commits/${sha}`);
    await api("GET", `/repos/acme/shop/commits/${sha}`);
    await api("GET", `/repos/acme/shop/commits/${sha}/pulls`);
  });

  it("about people", async () => {
    await api("GET", "/users/octocat");
    await api("GET", "/users/signalbox%5Bbot%5D");
    await apiOf(github, github.person("octocat").token)("GET", "/user");
    await api("GET", "/meta");
    await api("GET", "/rate_limit");
  });

  it("statuses, check runs, deployments and comments", async () => {
    await api("POST", `/repos/acme/shop/statuses/${sha}`, {
      state: "pending",
      context: "signalbox/test",
      target_url: "http://127.0.0.1/run",
    });
    await api("POST", `/repos/acme/shop/statuses/${sha}`, { state: "success", context: "signalbox/test" });
    await api("GET", `/repos/acme/shop/commits/${sha}/status`);
    await api("GET", `/repos/acme/shop/commits/${sha}/statuses`);
    const run = fields((await api("POST", "/repos/acme/shop/check-runs", { name: "lint", head_sha: sha })).body);
    await api("PATCH", `/repos/acme/shop/check-runs/${run.id}`, {
      conclusion: "success",
      output: { title: "Fine", summary: "All fine" },
    });
    await api("GET", `/repos/acme/shop/commits/${sha}/check-runs`);

    const wish = {
      ref: sha,
      auto_merge: false,
      required_contexts: [],
      environment: "staging",
      payload: { run: 1 },
      description: "Deploys",
    };
    const deployment = fields((await api("POST", "/repos/acme/shop/deployments", wish)).body);
    const path = `/repos/acme/shop/deployments/${deployment.id}`;
    const detail = { log_url: "http://127.0.0.1/log", environment_url: "http://127.0.0.1/site", description: "Live" };
    for (const state of ["queued", "pending", "in_progress", "success", "failure", "error", "inactive"]) {
      await api("POST", `${path}/statuses`, { state, ...(state === "queued" ? {} : detail) });
    }
    await api("GET", path);
    await api("GET", `${path}/statuses`);
    expect((await api("DELETE", path)).status).toBe(204);
    const environment = "/repos/acme/shop/environments/staging";
    expect((await api("DELETE", environment)).status).toBe(204);
    expect((await api("DELETE", environment)).status).toBe(404);

    const comment = fields((await api("POST", "/repos/acme/shop/issues/1/comments", { body: "Hello" })).body);
    await api("GET", `/repos/acme/shop/issues/comments/${comment.id}`);
    await api("PATCH", `/repos/acme/shop/issues/comments/${comment.id}`, { body: "Hello again" });
    await api("POST", `/repos/acme/shop/issues/comments/${comment.id}/reactions`, { content: "eyes" });
    await api("GET", "/repos/acme/shop/issues/1/comments");
  });

  it("pull requests from first to last, by people and by the App", async () => {
    await repository.readyForReview(1);
    await repository.convertToDraft(1);
    await repository.readyForReview(1);
    await repository.commit({ branch: "topic", files: { "src/c.txt": "c\n" }, message: "Add c", author: "octocat" });
    await repository.commit({ branch: "release", files: { "note.txt": "r\n" }, message: "Release", author: "octocat" });
    await repository.changeBase(1, "release");
    await repository.changeBase(1, "main");
    await repository.closePullRequest(1);
    await repository.reopenPullRequest(1);
    await repository.comment({ by: "octocat", number: 1, body: "/help" });
    const head = await repository.head("topic");
    await api("PUT", "/repos/acme/shop/pulls/1/merge", { sha: head, merge_method: "merge" });
    await api("GET", "/repos/acme/shop/pulls/1");
    await (await repository.fork("hubot")).commit({
      branch: "fix",
      files: { "fix.txt": "f\n" },
      message: "Fix",
      author: "hubot",
    });
    await repository.openPullRequest({ title: "Fix", head: "fix", fork: "hubot", author: "hubot" });
    await api("GET", "/repos/acme/shop/pulls/2");
    await api("GET", "/repos/acme/shop/compare/main...hubot:fix");
  });

  it("every event that was sent", async () => {
    const second = await github.repository({ owner: "acme", name: "second", private: true, files: { a: "a" } });
    second.uninstall();
    github.ping();
    await github.idle();
    const unfit = receiver.received.flatMap(({ event, payload }) =>
      webhookProblems(event, payload).map((problem) => `${event}.${payload.action}: ${problem}`),
    );
    expect(unfit).toEqual([]);
    expect([...new Set(receiver.names())].sort()).toEqual([
      "check_run.completed",
      "check_run.created",
      "deployment.created",
      "deployment_status.created",
      "installation.created",
      "installation_repositories.added",
      "installation_repositories.removed",
      "issue_comment.created",
      "issue_comment.edited",
      "ping",
      "pull_request.closed",
      "pull_request.converted_to_draft",
      "pull_request.edited",
      "pull_request.opened",
      "pull_request.ready_for_review",
      "pull_request.reopened",
      "pull_request.synchronize",
      "push",
      "status",
    ]);
  });
});

const everything = {
  metadata: "read",
  contents: "write",
  pull_requests: "write",
  issues: "write",
  statuses: "write",
  deployments: "write",
  checks: "write",
  administration: "write",
} as const;

const events = ["pull_request", "push", "deployment", "deployment_status", "status", "check_run", "issue_comment"];
