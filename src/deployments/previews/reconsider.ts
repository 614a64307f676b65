import { findHead } from "../../checks/heads.ts";
import type { Transaction } from "../../database/connection.ts";
import { findRepository, type Repository } from "../../github/repository.ts";
import type { Loaded } from "../../repository-file/load.ts";
import type { RepositoryFile } from "../../repository-file/repository-file.ts";
import { type DeploymentRun, fileEnvironmentOf, type Gate, type Some } from "../../runs/run.ts";
import { learnTrees } from "../commits.ts";
import { configurationOf } from "../configuration.ts";
import { factsOf } from "../facts.ts";
import { shutGates } from "../gates.ts";
import type { DeploymentMeans } from "../means.ts";
import { openOrExplain } from "../open-or-explain.ts";
import { rulesOf } from "../rules.ts";
import { carryOutDeed } from "./deeds.ts";
import { concernsPreviews, previewFactsOf, waitingPreviews } from "./facts.ts";
import { askForPullRequests } from "./pull-requests.ts";
import { decidePreviews } from "./wanted.ts";
import type { PreviewWatch } from "./watch.ts";

/**
 * Brings a repository's previews to what they should be: wishes for those that are missing, takes down those that are not wanted any more, and
 * queues what no gate holds back. One at a time per repository and process; safe to repeat, and decided from what is true now.
 */
export async function reconsiderPreviews(means: DeploymentMeans, watch: PreviewWatch, id: number): Promise<void> {
  const { database } = means;
  const repository = await database.read((db) => findRepository(db, id));
  if (repository === null || !repository.active) return;
  if (!(await database.read((db) => concernsPreviews(db, id)))) return;
  const gating = await means.loadFile(repository, repository.defaultBranch);
  const file = fileFrom(gating);
  if (watch.mayAsk(id) && (await isOwner(means, repository, file))) await askForPullRequests(means, repository);
  await carryOut(means, watch, repository, file);
  if (file !== null) await openWaiting(means, repository, file);
}

/** `null` when nobody can read it. No file at all asks for nothing. */
function fileFrom(gating: Loaded): RepositoryFile | null {
  switch (gating.kind) {
    case "file":
      return gating.file;
    case "none":
      return { checks: {}, environments: {}, automerge: null, notify: [] };
    case "mistakes":
      return null;
  }
}

/** Whether anything depends on what is asked: GitHub is left in peace where no preview is wanted or there. */
async function isOwner({ database }: DeploymentMeans, repository: Repository, file: RepositoryFile | null): Promise<boolean> {
  if (file !== null && Object.values(file.environments).some(({ trigger }) => trigger === "pull_request")) return true;
  const row = await database.read((db) =>
    db.selectFrom("preview").select("environment").where("repository", "=", repository.id).limit(1).executeTakeFirst(),
  );
  return row !== undefined;
}

/** Decides and writes in one transaction. What a head's file says is read in between, and only then what needs it is done. */
async function carryOut(
  means: DeploymentMeans,
  watch: PreviewWatch,
  repository: Repository,
  file: RepositoryFile | null,
): Promise<void> {
  const heads = new Map<string, Loaded | null>();
  let problem: unknown = null;
  for (;;) {
    const missing = await means.database.write(async (tx) => {
      const { deeds, next } = decidePreviews(await previewFactsOf(tx, repository.id, file));
      watch.lookAgain(repository.id, next);
      const unread: string[] = [];
      for (const deed of deeds) {
        const sha = deed.kind === "deploy" ? deed.pullRequest.headSha : null;
        if (sha !== null && !heads.has(sha)) unread.push(sha);
        else await carryOutDeed(tx, repository, deed, file, sha === null ? null : (heads.get(sha) ?? null));
      }
      return unread;
    });
    if (missing.length === 0) break;
    for (const sha of missing) {
      const read = await means.loadFile(repository, sha).catch((error: unknown) => {
        problem ??= error;
        return null;
      });
      heads.set(sha, read);
    }
  }
  // One head that cannot be read holds back nobody else's preview.
  if (problem !== null) throw problem;
}

async function openWaiting(means: DeploymentMeans, repository: Repository, file: RepositoryFile): Promise<void> {
  const waiting = await means.database.read((db) => waitingPreviews(db, repository.id));
  if (waiting.length === 0) return;
  await learnTrees(means, repository, waiting);
  for (const run of waiting) {
    const rules = rulesOf(file, fileEnvironmentOf(run));
    if (rules !== null) await openOrExplain(means, repository, run, rules, null);
  }
}

/** Decides once more, within the claim, whether a preview may be deployed: only the head of an open pull request of the repository itself, and behind its gates. */
export async function mayStartPreview(tx: Transaction, run: DeploymentRun): Promise<"may start" | Some<Gate>> {
  if (run.task === "teardown") return "may start";
  const head = run.pullRequest === null ? null : await findHead(tx.db, run.repository, run.pullRequest);
  if (head === null || head.state !== "open" || head.fork || head.headSha !== run.sha) return [{ kind: "order" }];
  const configuration = configurationOf(run);
  if (configuration === null) return [{ kind: "order" }];
  const [first, ...rest] = shutGates(configuration, await factsOf(tx, run, configuration));
  return first === undefined ? "may start" : [first, ...rest];
}
