import type { Repository } from "../github/repository.ts";
import type { DeploymentRun } from "../runs/run.ts";
import { configurationOf, reconfigure } from "./configuration.ts";
import type { DeploymentMeans } from "./means.ts";
import type { IsInHistoryOf } from "./order.ts";

/**
 * Finds out which trees the deployed commits and the merged heads have, without a request to GitHub's API: the mirror tells. The
 * head's check runs are given their tree, so that a merge commit with the same one counts as checked, and so does what others said of it.
 */
export async function learnTrees(means: DeploymentMeans, repository: Repository, runs: readonly DeploymentRun[]): Promise<void> {
  const unknown = runs.filter((run) => run.tree === null);
  const heads = unknown.flatMap((run) => configurationOf(run)?.head ?? []);
  const shas = [...new Set([...unknown.map((run) => run.sha), ...heads])];
  if (shas.length === 0) return;
  const source = means.gitSource(repository);
  // The merge commits' history tells of most heads.
  await means.mirrors.learn(
    source,
    unknown.map((run) => run.sha),
  );
  await means.mirrors.learn(source, heads);
  const trees = await Promise.all(shas.map(async (sha) => ({ sha, tree: await means.mirrors.treeOf(source, sha) })));
  await means.database.write(async (tx) => {
    const treeOf = new Map(trees.map(({ sha, tree }) => [sha, tree]));
    for (const run of unknown) {
      const head = configurationOf(run)?.head ?? null;
      const headHasSameTree = head !== null && treeOf.get(head) === treeOf.get(run.sha);
      if (headHasSameTree) await reconfigure(tx, run.id, (before) => ({ ...before, headHasSameTree }));
    }
    for (const { sha, tree } of trees) {
      const untold = tx.db
        .updateTable("run")
        .where("repository", "=", repository.id)
        .where("sha", "=", sha)
        .where("tree", "is", null);
      await untold.set({ tree }).execute();
    }
  });
}

/** Knows of each pair of these runs' commits whether one is in the other's history. */
export async function ancestryOf(
  means: DeploymentMeans,
  repository: Repository,
  runs: readonly DeploymentRun[],
): Promise<IsInHistoryOf> {
  const shas = [...new Set(runs.map((run) => run.sha))];
  const pairs = shas.flatMap((ancestor) =>
    shas.filter((sha) => sha !== ancestor).map((descendant) => ({ ancestor, descendant })),
  );
  if (pairs.length === 0) return (ancestor, descendant) => ancestor === descendant;
  const source = means.gitSource(repository);
  await means.mirrors.learn(source, shas);
  const related = await Promise.all(
    pairs.map(({ ancestor, descendant }) => means.mirrors.isAncestor(source, ancestor, descendant)),
  );
  const known = new Set(
    pairs.filter((_, index) => related[index]).map(({ ancestor, descendant }) => `${ancestor} ${descendant}`),
  );
  return (ancestor, descendant) => ancestor === descendant || known.has(`${ancestor} ${descendant}`);
}
