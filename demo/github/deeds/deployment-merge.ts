import { isAncestor, readHeads, writeCommitObject } from "../git/commits.ts";
import { mergedTree } from "../git/differences.ts";
import { emailOf } from "../json/account.ts";
import type { RepositoryState } from "../repository-state.ts";
import type { Account, World } from "../world.ts";
import { headMoved } from "./heads.ts";

/**
 * What `auto_merge` does to a branch that is behind the default branch: GitHub merges, makes no deployment and says so, or says that they conflict.
 * `null` when there is nothing to merge; a SHA is no branch, so it is never merged into.
 * https://docs.github.com/en/rest/deployments/deployments#create-a-deployment
 */
export function mergeDefaultBranchInto(
  world: World,
  repository: RepositoryState,
  branch: string,
  by: Account,
): Promise<{ readonly kind: "merged instead" | "conflict"; readonly message: string } | null> {
  return repository.inOrder(async () => {
    const { git, defaultBranch } = repository;
    const heads = await readHeads(git);
    const [base, head] = [heads.get(defaultBranch), heads.get(branch)];
    if (!base || !head || branch === defaultBranch || (await isAncestor(git, base, head))) return null;
    const tree = await mergedTree(git, head, base);
    if (tree === null) return { kind: "conflict", message: `Conflict merging ${defaultBranch} into ${branch}.` };
    const author = { name: by.login, email: emailOf(by), date: world.clock.now().toISOString() };
    const message = `Merge ${defaultBranch} into ${branch}`;
    const after = await writeCommitObject(git, { tree, parents: [head, base], author, committer: author, message });
    await git(["update-ref", `refs/heads/${branch}`, after, head]);
    await headMoved(world, { repository, branch, before: head, after, by });
    return { kind: "merged instead", message: `Auto-merged ${defaultBranch} into ${branch} on deployment.` };
  });
}
