import { type Commit, EMPTY_TREE, isAncestor, NOTHING, readCommits } from "../git/commits.ts";
import { readDifferences } from "../git/differences.ts";
import { emailOf } from "../json/account.ts";
import { pushedCommitJson } from "../json/commit.ts";
import { repositoryPage } from "../json/repository.ts";
import type { RepositoryState } from "../repository-state.ts";
import type { Account, World } from "../world.ts";
import { announce } from "./announce.ts";
import { baseMoved, headOfPullRequestsMoved } from "./pull-requests.ts";

/** A branch that was made (`before` is zeros), moved or deleted (`after` is zeros). */
export interface Move {
  readonly repository: RepositoryState;
  readonly branch: string;
  readonly before: string;
  readonly after: string;
  readonly by: Account;
}

/** Tells of a branch that has moved already, and brings the pull requests that it concerns up to date. To be called within the repository's `inOrder`. */
export async function headMoved(world: World, move: Move): Promise<void> {
  if (move.before === move.after) return;
  const { repository } = move;
  repository.pushedAt = world.clock.now();
  announce(world, repository, "push", move.by, await pushJson(world, move));
  await headOfPullRequestsMoved(world, move);
  await baseMoved(world, move);
}

/** https://docs.github.com/en/webhooks/webhook-events-and-payloads#push: at most 2,048 commits, oldest first. */
async function pushJson(
  world: World,
  { repository, branch, before, after, by }: Move,
): Promise<Readonly<Record<string, unknown>>> {
  const { git } = repository;
  const created = before === NOTHING;
  const deleted = after === NOTHING;
  // A new branch brings what no other branch has; `--branches` itself must not count.
  const range = created ? [after, "--not", `--exclude=${branch}`, "--branches"] : [`${before}..${after}`];
  const json = async (commit: Commit) => {
    const files = await readDifferences(git, commit.parents[0] ?? EMPTY_TREE, commit.sha);
    return pushedCommitJson(world, repository, commit, files);
  };
  const brought = deleted ? [] : await readCommits(git, ["--reverse", "--topo-order", ...range]);
  const commits = await Promise.all(brought.slice(-2048).map(json));
  const head = commits.length > 0 || deleted ? [] : await readCommits(git, ["--max-count=1", after]);
  const page = repositoryPage(world, repository);
  return {
    ref: `refs/heads/${branch}`,
    before,
    after,
    created,
    deleted,
    forced: !created && !deleted && !(await isAncestor(git, before, after)),
    base_ref: null,
    compare:
      created || deleted
        ? `${page}/commit/${(created ? after : before).slice(0, 12)}`
        : `${page}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
    commits,
    head_commit: commits.at(-1) ?? (head[0] ? await json(head[0]) : null),
    pusher: { name: by.login, email: emailOf(by) },
  };
}
