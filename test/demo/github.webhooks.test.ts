import { createServer } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { apiOf, appToken, fields, list, type Receiver, receiveWebhooks } from "./client.ts";

describe("webhooks of the stand-in", () => {
  let github: GitHubStandIn;
  let receiver: Receiver;
  let repository: Repository;
  let answer = 202;

  beforeEach(async () => {
    answer = 202;
    github = await startGitHub();
    receiver = await receiveWebhooks(github, () => answer);
    repository = await github.repository({ owner: "acme", name: "shop", files: { a: "a" } });
    await github.idle();
  });
  afterEach(async () => {
    await github.close();
    await receiver.close();
  });

  const push = () => repository.commit({ branch: "main", files: { a: crypto.randomUUID() }, message: "A", author: "octocat" });

  it("are signed and carry GitHub's headers", async () => {
    await push();
    await github.idle();
    const last = receiver.received.at(-1);
    expect(last).toMatchObject({ event: "push", signed: true, payload: { installation: {}, organization: { login: "acme" } } });
    expect(last?.headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": expect.stringMatching(/^GitHub-Hookshot\//),
      "x-github-delivery": expect.stringMatching(/^[0-9a-f-]{36}$/),
      "x-github-hook-installation-target-id": String(github.app.id),
      "x-github-hook-installation-target-type": "integration",
      "x-hub-signature": expect.stringMatching(/^sha1=[0-9a-f]{40}$/),
    });
  });

  it("can be form-encoded", async () => {
    const other = await startGitHub({ contentType: "form" });
    const itsReceiver = await receiveWebhooks(other);
    await other.repository({ owner: "acme", name: "shop", files: { a: "a" } });
    await other.idle();
    expect(itsReceiver.received).toMatchObject([
      { event: "installation", signed: true, raw: expect.stringMatching(/^payload=%7B/) },
    ]);
    await other.close();
    await itsReceiver.close();
  });

  it("come in the order of what happened", async () => {
    const shas = [];
    for (let count = 0; count < 5; count += 1) shas.push(await push());
    await github.idle();
    expect(receiver.received.slice(-5).map(({ payload }) => payload.after)).toEqual(shas);
  });

  it("are sent only for events that the App asked for", async () => {
    const deaf = await startGitHub({ events: ["pull_request"] });
    const its = await receiveWebhooks(deaf);
    const quiet = await deaf.repository({ owner: "acme", name: "shop", files: { a: "a" } });
    await quiet.commit({ branch: "main", files: { a: "b" }, message: "B", author: "octocat" });
    await deaf.idle();
    expect(its.names()).toEqual(["installation.created"]);
    await deaf.close();
    await its.close();
  });

  it("are listed with what came of them, page by page, and never sent again by themselves", async () => {
    answer = 500;
    await push();
    await push();
    await github.idle();
    const app = apiOf(github, appToken(github));
    const first = await app("GET", "/app/hook/deliveries?per_page=1");
    expect(await list(Promise.resolve(first))).toMatchObject([
      { event: "push", status: "Internal Server Error", status_code: 500, redelivery: false },
    ]);
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    const second = await list(app("GET", next.slice(`${github.url}/api/v3`.length)));
    expect(second).toMatchObject([{ event: "push", guid: receiver.received.at(-2)?.guid, repository_id: repository.id }]);
    expect(await list(app("GET", "/app/hook/deliveries?status=failure"))).toHaveLength(2);
    const detail = fields((await app("GET", `/app/hook/deliveries/${second[0]?.id}`)).body);
    expect(detail.request).toMatchObject({ headers: { "X-GitHub-Event": "push" }, payload: { ref: "refs/heads/main" } });
    expect(receiver.received.filter(({ event }) => event === "push")).toHaveLength(2);
  });

  it("are sent again on request, with the same GUID and signature", async () => {
    answer = 503;
    await push();
    await github.idle();
    answer = 202;
    const app = apiOf(github, appToken(github));
    const [failed] = await list(app("GET", "/app/hook/deliveries?per_page=1"));
    expect((await app("POST", `/app/hook/deliveries/${failed?.id}/attempts`)).status).toBe(202);
    await github.idle();
    expect((await list(app("GET", "/app/hook/deliveries")))[0]).toMatchObject({
      guid: failed?.guid,
      redelivery: true,
      status: "OK",
      status_code: 202,
    });
    const [first, again] = receiver.received.slice(-2);
    expect(again).toEqual({ ...first, headers: expect.anything() });
    await github.redeliver(String(failed?.guid));
    expect(receiver.received.at(-1)?.guid).toBe(failed?.guid);
    expect((await apiOf(github)("POST", `/app/hook/deliveries/${failed?.id}/attempts`)).status).toBe(401);
  });

  it("fail when nobody is there", async () => {
    const nobody = createServer();
    await new Promise<void>((resolve) => nobody.listen(0, "127.0.0.1", resolve));
    const address = nobody.address();
    await new Promise((resolve) => nobody.close(resolve));
    github.webhooksTo(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/hook`);
    await push();
    await github.idle();
    expect(github.deliveries().at(-1)).toMatchObject({ event: "push", status: "failed to connect", statusCode: 0 });
  });

  it("time out when nobody answers, and the next one is sent", async () => {
    const hasty = await startGitHub({ webhookPatience: 20 });
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    hasty.webhooksTo(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/hook`);
    hasty.ping();
    hasty.ping();
    await hasty.idle();
    expect(hasty.deliveries()).toMatchObject([
      { event: "ping", status: "timed out", statusCode: 0 },
      { event: "ping", status: "timed out", statusCode: 0 },
    ]);
    silent.closeAllConnections();
    silent.close();
    await hasty.close();
  });

  it("can be dropped, doubled and delayed on demand", async () => {
    github.fault({ webhook: "drop", event: "push" });
    const lost = await push();
    github.fault({ webhook: "duplicate" });
    await push();
    github.fault({ webhook: { delay: 30 } });
    await push();
    await push();
    await github.idle();
    const pushes = receiver.received.filter(({ event }) => event === "push");
    expect(pushes.map(({ payload }) => payload.after)).not.toContain(lost);
    expect(new Set(pushes.map(({ guid }) => guid)).size).toBe(3);
    expect(pushes.map(({ guid }) => guid)[0]).toBe(pushes[1]?.guid);
    const recorded = github.deliveries().filter(({ event }) => event === "push");
    expect(recorded.map(({ status }) => status)).toEqual(["OK", "OK", "OK", "OK", "OK"]);
    expect(JSON.parse(String(recorded[0]?.request.payload)).after).toBe(lost);
  });
});
