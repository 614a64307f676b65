import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { type Api, apiOf, fields, installationToken, list, type Receiver, receiveWebhooks } from "./client.ts";

describe("deployments at the stand-in", () => {
  let github: GitHubStandIn;
  let receiver: Receiver;
  let repository: Repository;
  let api: Api;
  const path = "/repos/acme/shop/deployments";

  beforeEach(async () => {
    github = await startGitHub();
    receiver = await receiveWebhooks(github);
    repository = await github.repository({ owner: "acme", name: "shop", files: { a: "1\n" }, permissions: { octocat: "write" } });
    api = apiOf(github, await installationToken(github));
  });
  afterEach(async () => {
    await github.close();
    await receiver.close();
  });

  const create = async (wish: object) => fields((await api("POST", path, { ref: "main", ...wish })).body);
  const say = (id: unknown, state: string, more: object = {}) => api("POST", `${path}/${id}/statuses`, { state, ...more });
  const states = () => repository.deployments().map(({ statuses }) => statuses.map(({ state }) => state));

  it("has GitHub's defaults, and tells the App", async () => {
    expect(await create({})).toMatchObject({
      ref: "main",
      sha: await repository.head(),
      task: "deploy",
      environment: "production",
      production_environment: true,
      transient_environment: false,
      payload: "",
      description: null,
      creator: { login: "signalbox[bot]", type: "Bot" },
      performed_via_github_app: { id: github.app.id },
    });
    expect(await create({ environment: "staging" })).toMatchObject({ production_environment: false });
    await github.idle();
    expect(receiver.names().slice(-2)).toEqual(["deployment.created", "deployment.created"]);
  });

  it.each([["text that is no JSON"], [{ run: 1 }]])("hands on the payload %j as it came, also in the event", async (payload) => {
    await repository.createDeployment({ by: "octocat", ref: "main", environment: "staging", payload });
    await github.idle();
    expect(receiver.received.at(-1)?.payload).toMatchObject({
      deployment: { payload, creator: { login: "octocat", type: "User" } },
    });
  });

  it("needs all contexts green unless told otherwise", async () => {
    const sha = await repository.head();
    const status = (state: string, context: string) => api("POST", `/repos/acme/shop/statuses/${sha}`, { state, context });
    await status("success", "test");
    await status("pending", "lint");
    const refused = await api("POST", path, { ref: sha });
    expect([refused.status, fields(refused.body).message]).toEqual([409, `Conflict: Commit status checks failed for ${sha}.`]);
    expect((await api("POST", path, { ref: sha, required_contexts: ["lint"] })).status).toBe(409);
    expect((await api("POST", path, { ref: sha, required_contexts: ["unheard of"] })).status).toBe(409);
    expect((await api("POST", path, { ref: sha, required_contexts: ["test"] })).status).toBe(201);
    expect((await api("POST", path, { ref: sha, required_contexts: [] })).status).toBe(201);
    await status("success", "lint");
    expect((await api("POST", path, { ref: sha })).status).toBe(201);
  });

  it("merges the default branch into a ref that is behind instead of deploying, once", async () => {
    await repository.commit({ branch: "topic", files: { b: "b" }, message: "B", author: "octocat" });
    await repository.commit({ branch: "main", files: { c: "c" }, message: "C", author: "octocat" });
    const merged = await api("POST", path, { ref: "topic" });
    expect([merged.status, fields(merged.body).message]).toEqual([202, "Auto-merged main into topic on deployment."]);
    expect(repository.deployments()).toHaveLength(0);
    expect((await api("POST", path, { ref: "topic" })).status).toBe(201);
    await repository.commit({ branch: "topic", files: { a: "topic\n" }, message: "A", author: "octocat" });
    await repository.commit({ branch: "main", files: { a: "main\n" }, message: "A", author: "octocat" });
    const conflict = await api("POST", path, { ref: "topic" });
    expect([conflict.status, fields(conflict.body).message]).toEqual([409, "Conflict merging main into topic."]);
    expect((await api("POST", path, { ref: "topic", auto_merge: false })).status).toBe(201);
  });

  it("refuses a ref that it does not know", async () => {
    const { status, body } = await api("POST", path, { ref: "nothing" });
    expect([status, fields(body).message]).toEqual([422, "No ref found for: nothing"]);
  });

  it("inactivates earlier live deployments of that environment, except in production and in transient ones, without an event", async () => {
    const deploy = async (wish: object) => {
      const { id } = await create(wish);
      await say(id, "success");
    };
    await deploy({ environment: "staging" });
    await deploy({ environment: "preview", transient_environment: true });
    await deploy({ environment: "production" });
    await github.idle();
    const before = receiver.received.length;
    await deploy({ environment: "preview", transient_environment: true });
    await deploy({ environment: "production" });
    await deploy({ environment: "staging" });
    expect(states()).toEqual([["success", "inactive"], ["success"], ["success"], ["success"], ["success"], ["success"]]);
    await github.idle();
    const said = receiver.received.slice(before).filter(({ event }) => event === "deployment_status");
    expect(said.map(({ payload }) => fields(payload.deployment_status).state)).toEqual(["success", "success", "success"]);
  });

  it("leaves them alone when told to", async () => {
    await say((await create({ environment: "staging" })).id, "success");
    await say((await create({ environment: "staging" })).id, "success", { auto_inactive: false });
    expect(states()).toEqual([["success"], ["success"]]);
  });

  it("knows seven states and 140 characters", async () => {
    const { id } = await create({});
    expect((await say(id, "waiting")).status).toBe(422);
    expect((await say(id, "queued", { description: "x".repeat(141) })).status).toBe(422);
    expect((await say(id, "queued", { description: "x".repeat(140) })).status).toBe(201);
    for (const state of ["pending", "in_progress", "success", "failure", "error", "inactive"])
      expect((await say(id, state)).status).toBe(201);
    expect((await list(api("GET", `${path}/${id}/statuses`)))[0]).toMatchObject({ state: "inactive" });
    await github.idle();
    const told = receiver.received
      .filter(({ event }) => event === "deployment_status")
      .map(({ payload }) => fields(payload.deployment_status).state);
    expect(told).toEqual(["queued", "pending", "in_progress", "success", "failure", "error"]); // "inactive" fires nothing
    const shown = fields((await say(id, "success", { log_url: "http://x/log", environment_url: "http://x/" })).body);
    expect(shown).toMatchObject({ log_url: "http://x/log", target_url: "http://x/log", environment_url: "http://x/" });
  });

  it("is found by its commit, ref, task and environment", async () => {
    const sha = await repository.head();
    await create({ ref: sha, environment: "staging" });
    await create({ environment: "staging", task: "rollback" });
    const count = async (query: string) => (await list(api("GET", `${path}?${query}`))).length;
    expect(
      await Promise.all([`sha=${sha}`, `ref=${sha}`, "task=rollback", "environment=staging", "environment=x"].map(count)),
    ).toEqual([2, 1, 1, 2, 0]);
  });

  it("can be deleted when it is the only one or not live", async () => {
    const first = await create({ environment: "staging" });
    await say(first.id, "success");
    const second = await create({ environment: "staging" });
    expect((await api("DELETE", `${path}/${first.id}`)).status).toBe(422);
    await say(first.id, "inactive");
    expect((await api("DELETE", `${path}/${first.id}`)).status).toBe(204);
    expect((await api("DELETE", `${path}/${second.id}`)).status).toBe(204);
    expect((await api("GET", `${path}/${second.id}`)).status).toBe(404);
  });
});
