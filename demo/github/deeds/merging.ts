import { readCommits, type Signature, writeCommitObject } from "../git/commits.ts";
import { mergedTree } from "../git/differences.ts";
import type { Git } from "../git/git.ts";
import { emailOf } from "../json/account.ts";
import type { PullRequest } from "../repository-state.ts";
import type { Account, World } from "../world.ts";
import { headMoved } from "./heads.ts";
import { whyHeldBack } from "./needs.ts";
import { markMerged, tellMerged } from "./pull-requests.ts";

export type MergeMethod = "merge" | "squash" | "rebase";

export interface MergeOrder {
  readonly method: MergeMethod;
  readonly by: Account;
  /** The head that the caller saw; any other head is refused. */
  readonly sha?: string | undefined;
  readonly title?: string | undefined;
  readonly message?: string | undefined;
}

/** What came of an order; only `merged` has changed anything. */
export type Merged =
  | { readonly kind: "merged"; readonly sha: string }
  | { readonly kind: "head moved" }
  | { readonly kind: "not mergeable"; readonly why?: string };

/** Merges with real commits, moves the base branch and tells of both. One merge of a repository at a time. */
export function mergePullRequest(world: World, pull: PullRequest, order: MergeOrder): Promise<Merged> {
  const { repository } = pull.base;
  return repository.inOrder(async () => {
    if (order.sha !== undefined && order.sha !== pull.head.sha) return { kind: "head moved" };
    const why = whyHeldBack(pull);
    if (why !== null && pull.state === "open") return { kind: "not mergeable", why };
    if (pull.state !== "open" || pull.draft || pull.testMerge === null) return { kind: "not mergeable" };
    const before = (await repository.git(["rev-parse", `refs/heads/${pull.base.ref}`])).trim();
    const sha = await merge(world, pull, order, before);
    if (sha === null) return { kind: "not mergeable" };
    await repository.git(["update-ref", `refs/heads/${pull.base.ref}`, sha, before]);
    markMerged(world, pull, order.by, sha);
    await headMoved(world, { repository, branch: pull.base.ref, before, after: sha, by: order.by });
    tellMerged(world, pull, order.by);
    return { kind: "merged", sha };
  });
}

/** Writes what the base branch moves to; `null` when it conflicts. */
async function merge(world: World, pull: PullRequest, order: MergeOrder, base: string): Promise<string | null> {
  const { git } = pull.base.repository;
  const head = pull.head.sha;
  const date = world.clock.now().toISOString();
  const signature = (account: Account): Signature => ({ name: account.login, email: emailOf(account), date });
  const committer: Signature = { name: "GitHub", email: "noreply@github.com", date };
  if (order.method === "rebase") return rebase(git, base, head, committer);
  const tree = await mergedTree(git, base, head);
  if (tree === null) return null;
  const from = `${pull.head.repository.owner.login}/${pull.head.ref}`;
  const merging = order.method === "merge";
  const title = order.title ?? (merging ? `Merge pull request #${pull.number} from ${from}` : `${pull.title} (#${pull.number})`);
  const text = order.message ?? (merging ? pull.title : "");
  return writeCommitObject(git, {
    tree,
    parents: merging ? [base, head] : [base],
    author: signature(merging ? order.by : pull.author),
    committer,
    message: `${title}\n\n${text}`.trim(),
  });
}

async function rebase(git: Git, base: string, head: string, committer: Signature): Promise<string | null> {
  let onto = base;
  for (const commit of await readCommits(git, ["--reverse", "--topo-order", "--no-merges", `${base}..${head}`])) {
    const [parent = base] = commit.parents;
    const [reached] = await readCommits(git, ["--max-count=1", onto]);
    if (!reached) return null;
    // A twin of `onto` that descends from the commit's own parent makes that parent the merge base: a cherry-pick without a work tree.
    const twin = await writeCommitObject(git, { ...reached, parents: [parent], committer });
    const tree = await mergedTree(git, twin, commit.sha);
    if (tree === null) return null;
    onto = await writeCommitObject(git, { ...commit, tree, parents: [onto], committer });
  }
  return onto;
}
