import type { Database, Transaction } from "../database/connection.ts";
import type { Repository } from "../github/repository.ts";
import type { GitSource, Mirrors } from "../process/checkout.ts";
import { checksOfTree } from "../runs/read.ts";
import type { PlannedCheck } from "./plan.ts";
import { type CheckedCommit, startChecks } from "./start.ts";

/** What this takes of the world. */
export interface TreeMeans {
  readonly database: Database;
  readonly mirrors: Mirrors;
  gitSource(repository: Repository): GitSource;
}

/** Heads that are looked into for one push, those heard of last; each is looked into once. */
const mostHeads = 30;
/** How long after its merge a head may be what a push brings, in milliseconds. */
const recent = 3_600_000;

/**
 * Has the mirror tell the trees of the checked heads that may be merged into a branch, so that a merge commit with the same tree counts as
 * checked. The mirror has their commits from checking them; nothing happens when all trees are known.
 */
export async function learnHeadTrees(
  { database, mirrors, gitSource }: TreeMeans,
  repository: Repository,
  branch: string,
): Promise<void> {
  const shas = await database.write((tx) => headsWithoutTree(tx, repository.id, branch));
  if (shas.length === 0) return;
  const source = gitSource(repository);
  await mirrors.learn(source, shas);
  const trees = await Promise.all(shas.map(async (sha) => ({ sha, tree: await mirrors.treeOf(source, sha) })));
  await database.write(async (tx) => {
    for (const { sha, tree } of trees) await rememberTree(tx, repository.id, sha, tree);
  });
}

/** Starts those checks of a commit that no commit of ours with the same tree has had or is having. Safe to repeat. */
export async function checkOnce(
  tx: Transaction,
  commit: CheckedCommit,
  tree: string,
  planned: readonly PlannedCheck[],
): Promise<void> {
  const sameTree = (await checksOfTree(tx.db, commit.repository, tree)).filter(
    (run) => run.sha !== commit.sha && !(run.state === "finished" && run.outcome.kind === "cancelled"),
  );
  const missing = planned.filter(({ name }) => !sameTree.some((run) => run.name === name));
  await startChecks(tx, commit, missing, false);
  await rememberTree(tx, commit.repository, commit.sha, tree);
}

async function headsWithoutTree(tx: Transaction, repository: number, branch: string): Promise<readonly string[]> {
  const rows = await tx.db
    .selectFrom("pull_request_head as head")
    .select("head.head_sha")
    .where("head.repository", "=", repository)
    .where("head.base_ref", "=", branch)
    .where("head.fork", "=", 0)
    .where((is) => is.or([is("head.state", "=", "open"), is("head.heard_at", ">", tx.now - recent)]))
    .where("head.state", "in", ["open", "merged"])
    .where((is) =>
      is.exists(
        is
          .selectFrom("run")
          .select("run.id")
          .whereRef("run.repository", "=", "head.repository")
          .whereRef("run.sha", "=", "head.head_sha")
          .where("run.kind", "=", "check")
          .where("run.trust", "=", "own")
          .where("run.tree", "is", null),
      ),
    )
    .orderBy("head.heard_at", "desc")
    .limit(mostHeads)
    .execute();
  return [...new Set(rows.map((row) => row.head_sha))];
}

async function rememberTree(tx: Transaction, repository: number, sha: string, tree: string): Promise<void> {
  await tx.db
    .updateTable("run")
    .set({ tree })
    .where("repository", "=", repository)
    .where("sha", "=", sha)
    .where("tree", "is", null)
    .execute();
}
