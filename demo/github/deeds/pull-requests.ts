import { isAncestor, NOTHING, resolveCommit } from "../git/commits.ts";
import { mergeBase, mergedTree, readDifferences } from "../git/differences.ts";
import { labelJson, pullRequestJson } from "../json/pull-request.ts";
import type { PullRequest, RepositoryState } from "../repository-state.ts";
import type { Account, World } from "../world.ts";
import { announce } from "./announce.ts";
import type { Move } from "./heads.ts";

export interface NewPullRequest {
  readonly title: string;
  readonly body?: string | null;
  readonly base: string;
  readonly head: { readonly repository: RepositoryState; readonly ref: string };
  readonly author: Account;
  readonly draft?: boolean;
}

/** Opens a pull request; rejects when a branch is missing or there is nothing between them. */
export function openPullRequest(world: World, repository: RepositoryState, request: NewPullRequest): Promise<PullRequest> {
  return repository.inOrder(async () => {
    const [base, head] = await Promise.all([
      resolveCommit(repository.git, `refs/heads/${request.base}`),
      resolveCommit(request.head.repository.git, `refs/heads/${request.head.ref}`),
    ]);
    if (!base || !head)
      throw new Error(`no branch ${base ? request.head.ref : request.base}: commit to it before opening a pull request`);
    if (await isAncestor(repository.git, head, base))
      throw new Error(`no commits between ${request.base} and ${request.head.ref}`);
    const now = world.clock.now();
    const pull: PullRequest = {
      id: world.id(),
      number: repository.pullRequests.length + 1,
      title: request.title,
      body: request.body ?? null,
      author: request.author,
      head: { ...request.head, sha: head },
      base: { repository, ref: request.base, sha: base },
      draft: request.draft ?? false,
      state: "open",
      createdAt: now,
      updatedAt: now,
      closedAt: null,
      merged: null,
      labels: new Set(),
      reviews: [],
      thinking: 0,
      testMerge: null,
      size: { commits: 0, additions: 0, deletions: 0, changedFiles: 0 },
    };
    await compute(world, pull);
    repository.pullRequests.push(pull);
    tell(world, pull, "opened", request.author);
    return pull;
  });
}

/** Closes without merging and fires `closed`; the caller sees to it that it is open. */
export async function closePullRequest(world: World, pull: PullRequest, by: Account): Promise<void> {
  pull.state = "closed";
  pull.closedAt = world.clock.now();
  tell(world, pull, "closed", by);
}

/** As on GitHub, a head that moved while it was closed counts from now on, without a `synchronize`. */
export async function reopenPullRequest(world: World, pull: PullRequest, by: Account): Promise<void> {
  pull.head.sha = (await resolveCommit(pull.head.repository.git, `refs/heads/${pull.head.ref}`)) ?? pull.head.sha;
  pull.state = "open";
  pull.closedAt = null;
  await compute(world, pull);
  tell(world, pull, "reopened", by);
}

/** Fires `edited` with the former base in `changes`; rejects when there is no such branch. */
export async function changeBase(world: World, pull: PullRequest, base: string, by: Account): Promise<void> {
  const from = { ...pull.base };
  const sha = await resolveCommit(pull.base.repository.git, `refs/heads/${base}`);
  if (!sha) throw new Error(`no branch ${base} to change the base to`);
  pull.base.ref = base;
  await compute(world, pull);
  tell(world, pull, "edited", by, { changes: { base: { ref: { from: from.ref }, sha: { from: from.sha } } } });
}

/** Ends being a draft and fires `ready_for_review`. */
export async function readyForReview(world: World, pull: PullRequest, by: Account): Promise<void> {
  pull.draft = false;
  tell(world, pull, "ready_for_review", by);
}

/** Makes it a draft again and fires `converted_to_draft`. */
export async function convertToDraft(world: World, pull: PullRequest, by: Account): Promise<void> {
  pull.draft = true;
  tell(world, pull, "converted_to_draft", by);
}

/** Puts a label on or takes it off, and fires `labeled` or `unlabeled`; what is so already stays. */
export function changeLabel(world: World, pull: PullRequest, label: string, on: boolean, by: Account): void {
  if (pull.labels.has(label) === on) return;
  if (on) pull.labels.add(label);
  else pull.labels.delete(label);
  tell(world, pull, on ? "labeled" : "unlabeled", by, { label: labelJson(world, pull.base.repository, label) });
}

/** Notes that the base branch has it; `tellMerged` says so to the App. */
export function markMerged(world: World, pull: PullRequest, by: Account, sha: string): void {
  const now = world.clock.now();
  Object.assign(pull, { state: "closed", closedAt: now, merged: { at: now, by, sha } });
}

/** Fires `closed` for what `markMerged` has marked. */
export function tellMerged(world: World, pull: PullRequest, by: Account): void {
  tell(world, pull, "closed", by);
}

/** New commits on a head branch: `synchronize`; a head branch that is gone closes the pull request. */
export async function headOfPullRequestsMoved(world: World, { repository, branch, before, after, by }: Move): Promise<void> {
  const concerned = [...world.repositories.values()]
    .flatMap(({ pullRequests }) => pullRequests)
    .filter(({ state, head }) => state === "open" && head.repository === repository && head.ref === branch);
  for (const pull of concerned) {
    if (after === NOTHING) {
      await closePullRequest(world, pull, by);
    } else {
      pull.head.sha = after;
      await compute(world, pull);
      tell(world, pull, "synchronize", by, { before, after });
    }
  }
}

/**
 * The base of open pull requests has new commits: whether they can be merged may have changed, and those whose head it now contains are merged.
 * https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/about-pull-request-merges#indirect-merges
 */
export async function baseMoved(world: World, { repository, branch, after, by }: Move): Promise<void> {
  if (after === NOTHING) return;
  for (const pull of repository.pullRequests.filter(({ state, base }) => state === "open" && base.ref === branch)) {
    if (await isAncestor(repository.git, pull.head.sha, after)) {
      markMerged(world, pull, by, after);
      tellMerged(world, pull, by);
    } else {
      await compute(world, pull);
    }
  }
}

/** Brings `refs/pull/N/head`, the test merge at `refs/pull/N/merge` and the counted differences up to date. */
async function compute(world: World, pull: PullRequest): Promise<void> {
  const { git } = pull.base.repository;
  const base = (await resolveCommit(git, `refs/heads/${pull.base.ref}`)) ?? pull.base.sha;
  const head = pull.head.sha;
  const [tree, ancestor] = await Promise.all([mergedTree(git, base, head), mergeBase(git, base, head)]);
  pull.testMerge = tree && (await git(["commit-tree", tree, "-p", base, "-p", head, "-m", `Merge ${head} into ${base}`])).trim();
  const [files, commits] = await Promise.all([
    readDifferences(git, ancestor ?? base, head),
    git(["rev-list", "--count", `${base}..${head}`]),
  ]);
  const lines = (side: "additions" | "deletions") => files.reduce((sum, file) => sum + file[side], 0);
  pull.base.sha = base;
  pull.size = {
    commits: Number(commits),
    additions: lines("additions"),
    deletions: lines("deletions"),
    changedFiles: files.length,
  };
  pull.updatedAt = world.clock.now();
  const refs = `refs/pull/${pull.number}`;
  const merge = pull.testMerge ? `update ${refs}/merge ${pull.testMerge}` : `delete ${refs}/merge`;
  await git(["update-ref", "--stdin"], `update ${refs}/head ${head}\n${merge}\n`);
}

function tell(world: World, pull: PullRequest, action: string, by: Account, more: Readonly<Record<string, unknown>> = {}): void {
  pull.updatedAt = world.clock.now();
  const json = pullRequestJson(world, pull, "not yet known");
  announce(world, pull.base.repository, "pull_request", by, { action, number: pull.number, ...more, pull_request: json });
}
