import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { type Api, apiOf, fields, list, type Receiver, receiveWebhooks } from "./client.ts";

describe("pull requests at the stand-in", () => {
  let github: GitHubStandIn;
  let receiver: Receiver;
  let repository: Repository;
  let api: Api;

  beforeEach(async () => {
    github = await startGitHub();
    receiver = await receiveWebhooks(github);
    repository = await github.repository({
      owner: "acme",
      name: "shop",
      files: { "a.txt": "1\n2\n3\n", "old.txt": "a file that is going to be renamed\n" },
      permissions: { octocat: "write" },
    });
    api = apiOf(github, github.person("octocat").token);
  });
  afterEach(async () => {
    await github.close();
    await receiver.close();
  });

  const change = (branch: string, files: Record<string, string | null>, message = `Change ${branch}`) =>
    repository.commit({ branch, files, message, author: "octocat" });
  const open = (head: string) => repository.openPullRequest({ title: `Add ${head}`, head, author: "octocat" });

  it.each([
    ["merge", 2, "Merge pull request #1 from acme/topic\n\nAdd topic", "octocat"],
    ["squash", 1, "Add topic (#1)", "octocat"],
    ["rebase", 1, "Second", "octocat"],
  ] as const)("merges by %s with a real commit, and tells", async (method, parents, message, author) => {
    await change("topic", { "b.txt": "b\n" }, "First");
    const head = await change("topic", { "c.txt": "c\n" }, "Second");
    await open("topic");
    const before = await change("main", { "d.txt": "d\n" });
    const { status, body } = await api("PUT", "/repos/acme/shop/pulls/1/merge", { sha: head, merge_method: method });
    const { sha } = fields(body);
    expect([status, sha]).toEqual([200, await repository.head()]);

    const commit = fields((await api("GET", `/repos/acme/shop/git/commits/${sha}`)).body);
    expect(commit).toMatchObject({ message, author: { name: author }, committer: { name: "GitHub" } });
    expect(commit.parents).toHaveLength(parents);
    const compared = fields((await api("GET", `/repos/acme/shop/compare/${before}...${sha}`)).body);
    expect([compared.status, compared.files]).toMatchObject(["ahead", [{ filename: "b.txt" }, { filename: "c.txt" }]]);
    expect((await api("GET", "/repos/acme/shop/pulls/1")).body).toMatchObject({
      state: "closed",
      merged: true,
      merge_commit_sha: sha,
    });
    await github.idle();
    expect(receiver.names().slice(-2)).toEqual(["push", "pull_request.closed"]);
    expect(receiver.received.at(-1)?.payload).toMatchObject({
      pull_request: { merged: true, merge_commit_sha: sha, head: { sha: head }, merged_by: { login: "octocat" } },
    });
    expect(receiver.received.at(-2)?.payload).toMatchObject({ ref: "refs/heads/main", before, after: sha });
  });

  it("does not merge a head that moved, a conflict, a draft or what is closed", async () => {
    await change("topic", { "a.txt": "topic\n" });
    await open("topic");
    const stale = await api("PUT", "/repos/acme/shop/pulls/1/merge", { sha: await repository.head() });
    expect([stale.status, fields(stale.body).message]).toEqual([
      409,
      "Head branch was modified. Review and try the merge again.",
    ]);
    await change("main", { "a.txt": "main\n" });
    expect((await api("GET", "/repos/acme/shop/pulls/1")).body).toMatchObject({ mergeable: false, mergeable_state: "dirty" });
    expect((await api("PUT", "/repos/acme/shop/pulls/1/merge", {})).status).toBe(405);
    await change("draft", { "x.txt": "x" });
    await repository.openPullRequest({ title: "Draft", head: "draft", author: "octocat", draft: true });
    expect((await api("PUT", "/repos/acme/shop/pulls/2/merge", {})).status).toBe(405);
    await repository.readyForReview(2);
    await repository.closePullRequest(2);
    expect((await api("PUT", "/repos/acme/shop/pulls/2/merge", {})).status).toBe(405);
    await repository.reopenPullRequest(2);
    expect((await api("PUT", "/repos/acme/shop/pulls/2/merge", {})).status).toBe(200);
  });

  it("does not rebase over a conflict", async () => {
    await change("topic", { "a.txt": "x\n" }, "Away");
    await change("topic", { "a.txt": "1\n2\n3\n4\n" }, "And back");
    await open("topic");
    await change("main", { "a.txt": "0\n1\n2\n3\n" });
    const before = await repository.head();
    expect((await api("PUT", "/repos/acme/shop/pulls/1/merge", { merge_method: "rebase" })).status).toBe(405);
    expect(await repository.head()).toBe(before);
  });

  it("lets only people who may write merge", async () => {
    await change("topic", { "b.txt": "b" });
    await open("topic");
    expect((await apiOf(github, github.person("stranger").token)("PUT", "/repos/acme/shop/pulls/1/merge", {})).status).toBe(403);
  });

  it("says what a pull request changes, renames with both names", async () => {
    await change("topic", { "old.txt": null, "new.txt": "a file that is going to be renamed\n", "a.txt": "1\n2\n3\n4\n" });
    await open("topic");
    expect(await list(api("GET", "/repos/acme/shop/pulls/1/files"))).toMatchObject([
      { filename: "a.txt", status: "modified", additions: 1, deletions: 0 },
      { filename: "new.txt", status: "renamed", previous_filename: "old.txt", changes: 0 },
    ]);
    expect((await api("GET", "/repos/acme/shop/pulls/1")).body).toMatchObject({
      commits: 1,
      additions: 1,
      changed_files: 2,
      mergeable: true,
    });
  });

  it("tells of new commits and of another base", async () => {
    const before = await change("topic", { "b.txt": "1" });
    await change("release", { "r.txt": "r" });
    const release = await repository.head("release");
    const main = await repository.head();
    await open("topic");
    const after = await change("topic", { "b.txt": "2" });
    await repository.changeBase(1, "release");
    await github.idle();
    const events = receiver.received.filter(({ event }) => event === "pull_request").map(({ payload }) => payload);
    expect(events).toMatchObject([
      { action: "opened", pull_request: { head: { sha: before }, mergeable: null } },
      { action: "synchronize", before, after },
      {
        action: "edited",
        changes: { base: { ref: { from: "main" }, sha: { from: main } } },
        pull_request: { base: { ref: "release", sha: release } },
      },
    ]);
  });

  it("takes a pull request from a fork: its commits are in the base repository, and the App sees only that one", async () => {
    const fork = await repository.fork("hubot");
    await fork.commit({ branch: "fix", files: { "fix.txt": "f" }, message: "Fix", author: "hubot" });
    const number = await repository.openPullRequest({ title: "Fix", head: "fix", fork: "hubot", author: "hubot" });
    const sha = await fork.commit({ branch: "fix", files: { "fix.txt": "g" }, message: "Fix more", author: "hubot" });
    await github.idle();
    expect(receiver.names()).toEqual(["installation.created", "pull_request.opened", "pull_request.synchronize"]);
    expect(receiver.received.at(-1)?.payload).toMatchObject({
      repository: { full_name: "acme/shop" },
      pull_request: {
        head: { sha, label: "hubot:fix", repo: { full_name: "hubot/shop", fork: true } },
        base: { repo: { full_name: "acme/shop" } },
      },
    });
    expect((await api("GET", `/repos/acme/shop/git/commits/${sha}`)).status).toBe(200);
    expect((await api("GET", `/repos/acme/shop/git/ref/pull/${number}/head`)).body).toMatchObject({ object: { sha } });
    await repository.merge(number, { by: "octocat" });
    expect((await api("GET", "/repos/acme/shop/contents/fix.txt")).status).toBe(200);
  });

  it("marks as merged what a push brings into the base", async () => {
    const sha = await change("topic", { "b.txt": "b" });
    await open("topic");
    await repository.commit({ branch: "other", from: sha, files: { "c.txt": "c" }, message: "C", author: "octocat" });
    await repository.openPullRequest({ title: "Both", head: "other", author: "octocat" });
    const merged = await repository.merge(2);
    expect(repository.pullRequest(1)).toMatchObject({ state: "closed", merged: { sha: merged } });
  });

  it.each([
    ["identical", "main", "main", 0, 0],
    ["ahead", "main", "topic", 1, 0],
    ["behind", "topic", "main", 0, 1],
    ["diverged", "topic", "second", 1, 1],
  ])("compares: %s", async (status, base, head, ahead, behind) => {
    await change("topic", { "b.txt": "b" });
    await change("second", { "c.txt": "c" });
    const { body } = await api("GET", `/repos/acme/shop/compare/${base}...${head}`);
    expect(body).toMatchObject({ status, ahead_by: ahead, behind_by: behind, total_commits: ahead });
  });

  it("finds the pull requests of a commit", async () => {
    const sha = await change("topic", { "b.txt": "b" });
    await open("topic");
    expect(await list(api("GET", `/repos/acme/shop/commits/${sha}/pulls`))).toMatchObject([{ number: 1 }]);
    const merged = await repository.merge(1, { method: "squash" });
    expect(await list(api("GET", `/repos/acme/shop/commits/${merged}/pulls`))).toMatchObject([{ number: 1 }]);
    expect(await list(api("GET", `/repos/acme/shop/commits/${sha}/pulls`))).toMatchObject([{ number: 1 }]);
    expect(await list(api("GET", "/repos/acme/shop/commits/main~1/pulls")).catch(() => "refused")).toBe("refused");
  });

  it("lists pages", async () => {
    for (const head of ["one", "two", "three"]) {
      await change(head, { [`${head}.txt`]: head });
      await open(head);
    }
    const first = await api("GET", "/repos/acme/shop/pulls?per_page=2");
    expect(await list(Promise.resolve(first))).toMatchObject([{ number: 3 }, { number: 2 }]);
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    expect(await list(api("GET", next.slice(`${github.url}/api/v3`.length)))).toMatchObject([{ number: 1 }]);
    expect(await list(api("GET", "/repos/acme/shop/pulls?head=acme%3Atwo"))).toMatchObject([{ number: 2 }]);
  });
});
