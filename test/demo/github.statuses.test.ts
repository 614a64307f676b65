import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { type Api, apiOf, fields, installationToken, list, type Receiver, receiveWebhooks } from "./client.ts";

describe("commit statuses at the stand-in", () => {
  let github: GitHubStandIn;
  let receiver: Receiver;
  let repository: Repository;
  let api: Api;
  let sha: string;
  let path: string;

  beforeAll(async () => {
    github = await startGitHub({ permissions: { statuses: "write", contents: "read", metadata: "read", checks: "write" } });
    receiver = await receiveWebhooks(github);
    repository = await github.repository({ owner: "acme", name: "shop", files: { a: "a" } });
    api = apiOf(github, await installationToken(github));
    sha = await repository.head();
    path = `/repos/acme/shop/statuses/${sha}`;
  });
  afterAll(async () => {
    await github.close();
    await receiver.close();
  });

  it("accepts a description of 140 characters and refuses 141, naming the field", async () => {
    expect((await api("POST", path, { state: "success", context: "long", description: "x".repeat(140) })).status).toBe(201);
    const { status, body } = await api("POST", path, { state: "success", context: "long", description: "x".repeat(141) });
    expect([status, body]).toMatchObject([
      422,
      {
        message: "Validation Failed",
        errors: [
          {
            resource: "Status",
            field: "description",
            code: "custom",
            message: "description is too long (maximum is 140 characters)",
          },
        ],
      },
    ]);
  });

  it.each([
    ["an unknown state", { state: "passed" }],
    ["no state", {}],
    ["an address that is none", { state: "success", target_url: "javascript:alert(1)" }],
  ])("refuses %s", async (_, body) => {
    expect((await api("POST", path, body)).status).toBe(422);
  });

  it("refuses a commit that it does not know", async () => {
    const { status, body } = await api("POST", `/repos/acme/shop/statuses/${"0".repeat(40)}`, { state: "success" });
    expect([status, fields(body).message]).toEqual([422, `No commit found for SHA: ${"0".repeat(40)}`]);
  });

  it("is pending without statuses, and then what the newest of each context say, upper and lower case being one", async () => {
    const fresh = await repository.commit({ branch: "fresh", files: { b: "b" }, message: "B", author: "octocat" });
    const post = (state: string, context: string) => api("POST", `/repos/acme/shop/statuses/${fresh}`, { state, context });
    const combined = async () => fields((await api("GET", `/repos/acme/shop/commits/${fresh}/status`)).body);
    expect(await combined()).toMatchObject({ state: "pending", total_count: 0 });
    await post("success", "Signalbox/Test");
    expect(await combined()).toMatchObject({ state: "success" });
    await post("pending", "lint");
    expect(await combined()).toMatchObject({ state: "pending", total_count: 2 });
    await post("error", "signalbox/test");
    expect(await combined()).toMatchObject({ state: "failure", total_count: 2 });
    const all = await list(api("GET", `/repos/acme/shop/commits/${fresh}/statuses`));
    expect(all.map(({ state, context }) => `${context} ${state}`)).toEqual([
      "signalbox/test error",
      "lint pending",
      "Signalbox/Test success",
    ]);
    expect(repository.statuses(fresh).map(({ state }) => state)).toEqual(["error", "pending"]);
  });

  it("refuses the 1,001st of a context", async () => {
    const deaf = await startGitHub({ events: [] });
    const busy = await deaf.repository({ owner: "acme", name: "shop", files: { a: "a" } });
    const ask = apiOf(deaf, await installationToken(deaf));
    const post = async (context: string) =>
      ask("POST", `/repos/acme/shop/statuses/${await busy.head()}`, { state: "success", context });
    const address = `/repos/acme/shop/statuses/${await busy.head()}`;
    for (let sent = 0; sent < 1000; sent += 50) {
      const fifty = Array.from({ length: 50 }, () => ask("POST", address, { state: "success", context: "x" }));
      expect((await Promise.all(fifty)).every(({ status }) => status === 201)).toBe(true);
    }
    expect(JSON.stringify((await post("X")).body)).toContain("maximum number of statuses");
    expect((await post("y")).status).toBe(201);
    await deaf.close();
  });

  it("says who set it, and tells the App", async () => {
    await api("POST", path, { state: "success", context: "told", description: "Fine" });
    await github.idle();
    expect(
      receiver.received.findLast(({ event, payload }) => event === "status" && payload.context === "told")?.payload,
    ).toMatchObject({
      sha,
      state: "success",
      description: "Fine",
      branches: expect.arrayContaining([expect.objectContaining({ name: "main" })]),
      sender: { login: "signalbox[bot]", type: "Bot" },
    });
  });

  it("lists the newest check run of each name", async () => {
    const run = async (name: string) => fields((await api("POST", "/repos/acme/shop/check-runs", { name, head_sha: sha })).body);
    await run("lint");
    const second = await run("lint");
    await api("PATCH", `/repos/acme/shop/check-runs/${second.id}`, { conclusion: "failure" });
    const { body } = await api("GET", `/repos/acme/shop/commits/${sha}/check-runs`);
    expect(body).toMatchObject({ total_count: 1, check_runs: [{ id: second.id, status: "completed", conclusion: "failure" }] });
  });
});
