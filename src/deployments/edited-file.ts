import { headFromRow, type PullRequestHead } from "../checks/heads.ts";
import type { Transaction } from "../database/connection.ts";
import { type Lookout, startLooking } from "../database/looking.ts";
import { filesChanged } from "../github/contents.ts";
import { GitHubProblem } from "../github/problem.ts";
import { findRepository, type Repository } from "../github/repository.ts";
import { whatAnEditChanges } from "../repository-file/edit.ts";
import { type Loaded, repositoryFilePath } from "../repository-file/load.ts";
import type { RepositoryFile } from "../repository-file/repository-file.ts";
import { type FileEdit, keepEdit } from "../runs/readings.ts";
import type { DeploymentMeans } from "./means.ts";

/** Has it read what a pull request changes in the file, soon: its checks and their statuses come first. */
export async function wantEditRead(tx: Transaction, repository: number, number: number): Promise<void> {
  await tx.db
    .updateTable("pull_request_head")
    .set({ edit_wanted: 1 })
    .where("repository", "=", repository)
    .where("number", "=", number)
    .execute();
  tx.ring("heads");
}

/** Reads what is wanted, now and whenever a pull request shows a commit. No check, no deployment and no webhook waits for it. */
export function startEditReader(means: DeploymentMeans): Lookout {
  const { database, log } = means;
  /** Under way, or failed a moment ago. */
  const resting = new Set<number>();
  const begin = async (repository: number) => {
    resting.add(repository);
    try {
      await readEdits(means, repository);
      resting.delete(repository);
    } catch (err) {
      log.warn({ err, repository }, "what pull requests change in the file could not be read; trying again");
      setTimeout(() => resting.delete(repository), lookEvery).unref();
    }
  };
  return startLooking({
    wake: database.wake,
    topics: ["heads"],
    every: lookEvery,
    after: soon,
    async look() {
      const wanted = await database.read((db) =>
        db
          .selectFrom("pull_request_head")
          .select("repository")
          .distinct()
          .where("edit_wanted", "=", 1)
          // One that the App lost has its turn when it comes back.
          .where("repository", "in", (is) => is.selectFrom("repository").select("id").where("active", "=", 1))
          .execute(),
      );
      return wanted.filter(({ repository }) => !resting.has(repository)).map(({ repository }) => begin(repository));
    },
    onError: (err) => log.error({ err }, "looking for what pull requests change in the file failed; trying again"),
  });
}

/** Milliseconds. */
const soon = 250;
const lookEvery = 5_000;

/** Reads and keeps what a repository's pull requests change in the file, as far as it was asked for. Safe to repeat. */
async function readEdits(means: DeploymentMeans, id: number): Promise<void> {
  const { database } = means;
  const wanted = await database.read((db) =>
    db.selectFrom("pull_request_head").selectAll().where("repository", "=", id).where("edit_wanted", "=", 1).execute(),
  );
  const repository = wanted.length === 0 ? null : await database.read((db) => findRepository(db, id));
  if (repository === null || !repository.active) return;
  for (const head of wanted.map(headFromRow)) {
    const edit = head.state === "open" ? await editOf(means, repository, head) : null;
    await database.write(async (tx) => {
      await keepEdit(tx, id, head.headSha, edit);
      await tx.db
        .updateTable("pull_request_head")
        .set({ edit_wanted: 0 })
        .where("repository", "=", id)
        .where("number", "=", head.number)
        .where("head_sha", "=", head.headSha)
        .where("base_ref", "=", head.baseRef)
        .execute();
    });
  }
}

/**
 * What a pull request into the default branch changes for deployments when it edits the repository's file: they follow it only after the merge,
 * so nobody sees it before. `null` when it does not edit it, or goes into another branch. Compared with what it was made from: what others
 * have merged since is no part of it.
 */
async function editOf(
  { github, loadFile, log }: Pick<DeploymentMeans, "github" | "loadFile" | "log">,
  repository: Repository,
  { number, baseRef, headSha, fork }: PullRequestHead,
): Promise<FileEdit | null> {
  if (baseRef !== repository.defaultBranch) return null;
  try {
    const changes = await filesChanged(github.as(repository.installation), repository, baseRef, headSha);
    const { files, complete, mergeBase } = changes;
    if (complete && !files.includes(repositoryFilePath)) return null;
    const [base, head] = [await loadFile(repository, mergeBase), await loadFile(repository, headSha)];
    // Of the repository's own commits the mistakes are said anyway.
    if (head.kind === "mistakes") return fork ? head : null;
    const sentences = whatAnEditChanges(asFile(base), asFile(head));
    return sentences.length === 0 && !complete ? null : { kind: "changes", sentences };
  } catch (error) {
    if (!(error instanceof GitHubProblem) || error.retryable) throw error;
    log.warn({ err: error, repository: repository.id, pullRequest: number }, "GitHub does not tell what a pull request changes");
    return null;
  }
}

/** Without a file that can be obeyed nothing is deployed. */
function asFile(loaded: Loaded): RepositoryFile {
  return loaded.kind === "file" ? loaded.file : { checks: {}, environments: {}, automerge: null, notify: [] };
}
