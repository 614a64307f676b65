import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { writeCommit } from "../../demo/github/git/commits.ts";
import { type Git, gitIn } from "../../demo/github/git/git.ts";

let folder: string;
let git: Git;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "signalbox-github-"));
  git = gitIn(folder);
  await git(["init", "--quiet", "--bare", "--initial-branch=main"]);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const change = {
  message: "One",
  author: { name: "Mira", email: "mira@example.com" },
  at: new Date(0),
  files: { "a.txt": "1" },
};

it("what git told of names is asked again after a write, also when an option stands for them", async () => {
  const sha = await writeCommit(git, { ...change, branch: "feature", parent: null });
  const ofNoOther = () => git(["log", "--format=%H", sha, "--not", "--exclude=feature", "--branches", "--"]);
  expect(await ofNoOther()).toBe(`${sha}\n`);
  expect(await git(["for-each-ref", "--format=%(refname)"])).toBe("refs/heads/feature\n");

  await git(["update-ref", "refs/heads/main", sha]);
  expect(await ofNoOther()).toBe("");
  expect(await git(["for-each-ref", "--format=%(refname)"])).toBe("refs/heads/feature\nrefs/heads/main\n");
});

it("what git told of a commit is remembered for good", async () => {
  const sha = await writeCommit(git, { ...change, branch: "main", parent: null });
  const told = await git(["log", "--format=%s", sha, "--"]);
  await git(["update-ref", "refs/heads/other", sha]);
  await rm(join(folder, "objects"), { recursive: true });
  expect(await git(["log", "--format=%s", sha, "--"])).toBe(told);
});
