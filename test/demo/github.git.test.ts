import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { installationToken, type Receiver, receiveWebhooks } from "./client.ts";

describe("git over HTTP", () => {
  let github: GitHubStandIn;
  let receiver: Receiver;
  let repository: Repository;
  let folder: string;
  let token: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "signalbox-git-"));
    github = await startGitHub();
    receiver = await receiveWebhooks(github);
    repository = await github.repository({
      owner: "acme",
      name: "shop",
      private: true,
      files: { "README.md": "one\n", "run.sh": "#!/bin/sh\n" },
      permissions: { octocat: "write", reader: "read" },
    });
    token = await installationToken(github);
  });
  afterAll(async () => {
    await github.close();
    await receiver.close();
    await rm(folder, { recursive: true });
  });

  const run = promisify(execFile);
  /** Runs git with a token, and without anything of this machine. */
  async function git(secret: string | null, ...args: string[]): Promise<string> {
    const basic = Buffer.from(`x-access-token:${secret}`).toString("base64");
    const { stdout } = await run("git", args, {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_TERMINAL_PROMPT: "0",
        ...person,
        ...(secret === null
          ? {}
          : {
              GIT_CONFIG_COUNT: "1",
              GIT_CONFIG_KEY_0: `http.${github.url}/.extraHeader`,
              GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
            }),
      },
    });
    return stdout.trim();
  }

  it("clones with a token of the installation", async () => {
    await git(token, "clone", "--quiet", repository.cloneUrl, "clone");
    expect(await git(null, "-C", "clone", "rev-parse", "HEAD")).toBe(await repository.head());
    expect(await git(null, "-C", "clone", "ls-files", "--stage", "run.sh")).toMatch(/^100755/);
  });

  it("gives any commit by its SHA, also one that no branch has any more, and the refs of pull requests", async () => {
    const sha = await repository.commit({ branch: "topic", files: { "a.txt": "a" }, message: "A", author: "octocat" });
    const number = await repository.openPullRequest({ title: "A", head: "topic", author: "octocat" });
    await git(null, "init", "--quiet", "--bare", "mirror");
    await git(token, "-C", "mirror", "fetch", "--quiet", "--depth=1", repository.cloneUrl, `+${sha}:refs/ci/1`);
    const listed = await git(token, "ls-remote", repository.cloneUrl);
    expect(listed).toContain(`${sha}\trefs/pull/${number}/head`);
    expect(listed).toContain(`${repository.pullRequest(number).testMerge}\trefs/pull/${number}/merge`);
    await git(github.person("octocat").token, "-C", "clone", "push", "--quiet", repository.cloneUrl, ":refs/heads/topic");
    expect(repository.pullRequest(number).state).toBe("closed");
    await git(null, "init", "--quiet", "--bare", "second");
    // Newer versions of git's protocol would give any commit; the first one asks the configuration.
    const lost = await repository.commit({ branch: "lost", files: { "b.txt": "b" }, message: "B", author: "octocat" });
    await git(github.person("octocat").token, "-C", "clone", "push", "--quiet", repository.cloneUrl, ":refs/heads/lost");
    await git(token, "-c", "protocol.version=0", "-C", "second", "fetch", "--quiet", repository.cloneUrl, `+${lost}:refs/ci/2`);
    expect(await git(null, "-C", "second", "rev-parse", "refs/ci/2")).toBe(lost);
  });

  it.each([
    ["nobody", () => null],
    ["a wrong token", () => "ghs_wrong"],
    ["a person without access", () => github.person("stranger").token],
  ])("refuses %s", async (_, secret) => {
    await expect(git(secret(), "ls-remote", repository.cloneUrl)).rejects.toThrow(
      /Authentication failed|could not read|not found|terminal prompts/,
    );
  });

  it("refuses a token of another repository, without contents, or that has expired", async () => {
    const other = await github.repository({ owner: "acme", name: "other", files: { a: "a" } });
    const elsewhere = await installationToken(github, { repository_ids: [other.id] });
    await expect(git(elsewhere, "ls-remote", repository.cloneUrl)).rejects.toThrow("not found");
    const without = await installationToken(github, { permissions: { statuses: "write" } });
    await expect(git(without, "ls-remote", repository.cloneUrl)).rejects.toThrow("403");
    const old = await installationToken(github);
    github.advance(3_600_001);
    await expect(git(old, "ls-remote", repository.cloneUrl)).rejects.toThrow("could not read Username");
    token = await installationToken(github);
  });

  it("lets a person push: the head moves, the pull request follows and the events come in order", async () => {
    await git(null, "-C", "clone", "checkout", "--quiet", "-b", "feature");
    await commitInClone("feature.txt", "1");
    const before = await push("feature");
    const number = await repository.openPullRequest({ title: "Feature", head: "feature", author: "octocat" });
    await commitInClone("feature.txt", "2");
    await github.idle();
    const seen = receiver.received.length;
    const after = await push("feature");
    await github.idle();

    expect(repository.pullRequest(number).head.sha).toBe(after);
    const [pushed, synchronized] = receiver.received.slice(seen);
    expect(pushed).toMatchObject({
      event: "push",
      payload: { ref: "refs/heads/feature", before, after, forced: false, sender: { login: "octocat" } },
    });
    expect(pushed?.payload.commits).toMatchObject([{ id: after, modified: ["feature.txt"], added: [], removed: [] }]);
    expect(synchronized).toMatchObject({ event: "pull_request", payload: { action: "synchronize", before, after, number } });
  });

  it("tells of a forced push", async () => {
    await git(null, "-C", "clone", "commit", "--quiet", "--amend", "--message", "Amended");
    await push("+feature");
    await github.idle();
    expect(receiver.received.findLast(({ event }) => event === "push")?.payload).toMatchObject({ forced: true });
  });

  it("lets neither readers, nor the App, nor anybody below refs/pull push", async () => {
    const push = (secret: string, ref: string) =>
      git(secret, "-C", "clone", "push", "--quiet", repository.cloneUrl, `HEAD:${ref}`);
    await expect(push(github.person("reader").token, "refs/heads/x")).rejects.toThrow("403");
    await expect(push(token, "refs/heads/x")).rejects.toThrow("403");
    await expect(push(github.person("octocat").token, "refs/pull/1/head")).rejects.toThrow("hidden ref");
    await expect(repository.head("x")).rejects.toThrow("no branch x");
  });

  async function push(branch: string): Promise<string> {
    await git(github.person("octocat").token, "-C", "clone", "push", "--quiet", repository.cloneUrl, branch);
    return git(null, "-C", "clone", "rev-parse", "HEAD");
  }

  async function commitInClone(path: string, content: string): Promise<void> {
    await writeFile(join(folder, "clone", path), content);
    await git(null, "-C", "clone", "add", path);
    await git(null, "-C", "clone", "commit", "--quiet", "--message", `Change ${path}`);
  }
});

const person = {
  GIT_AUTHOR_NAME: "octocat",
  GIT_AUTHOR_EMAIL: "octocat@example.com",
  GIT_COMMITTER_NAME: "octocat",
  GIT_COMMITTER_EMAIL: "octocat@example.com",
};
