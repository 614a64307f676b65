import type { Context } from "probot";
import { checkOnce, learnHeadTrees } from "../../../checks/check-once.ts";
import { planChecks } from "../../../checks/plan.ts";
import { asksToSkip, rememberPushed } from "../../../checks/skip.ts";
import { readingOnce } from "../../../deployments/reading-once.ts";
import { wishAutomatic } from "../../../deployments/wish.ts";
import { type Repository, rememberRepository } from "../../../github/repository.ts";
import { wantMergesOf } from "../../../runs/merge-wants.ts";
import { keepReading } from "../../../runs/readings.ts";
import { wantReconsidering } from "../../../runs/reconsidering.ts";
import { mayTell } from "../../../runs/reports.ts";
import type { Services } from "../../../services.ts";
import { receiptOf, repositoryFrom } from "../payloads.ts";

const branches = "refs/heads/";

/** A branch has a new head: check and deploy it where the file says so; on the default branch the rules themselves may have changed. */
export async function pushed(context: Context<"push">, services: Services): Promise<void> {
  const { ref, after, deleted, head_commit: commit, pusher } = context.payload;
  if (deleted || !ref.startsWith(branches)) return;
  const repository = repositoryFrom(context.payload);
  const branch = ref.slice(branches.length);
  // Most of what comes to the default branch is deployed: it is fetched while GitHub is asked what is to become of it.
  if (branch === repository.defaultBranch) services.mirrors.prefetch(services.gitSource(repository), [after]);
  await services.database.write(async (tx) => {
    await rememberRepository(tx, repository);
    if (commit !== null) await rememberPushed(tx, repository.id, after, commit.message);
    if (branch !== repository.defaultBranch) return;
    await wantReconsidering(tx, repository.id);
    await mayTell(tx, repository.id);
    await wantMergesOf(tx, repository.id);
  });
  const title = commit?.message.split("\n", 1)[0] ?? null;
  const author = commit?.author.username ?? null;
  const cause = receiptOf(context);
  const person = pusher.name;
  const about = { cause, sha: after, pullRequest: null, title, person };
  const reading = readingOnce(services);
  // First, so that a deployment of this commit finds its checks on their way.
  if (commit !== null && !asksToSkip(commit.message)) await checkPushed(reading, repository, branch, about, commit.tree_id);
  await wishAutomatic(reading, { ...about, repository, branch, author, head: null }, "push");
}

interface Pushed {
  readonly cause: ReturnType<typeof receiptOf>;
  readonly sha: string;
  readonly pullRequest: null;
  readonly title: string | null;
  readonly person: string;
}

/**
 * Checks what came to a branch that is deployed, unless a head with this very tree was checked. Paths skip nothing here: what is deployed is
 * all of the commit, and nobody has checked the commits before it.
 */
async function checkPushed(
  services: Services,
  repository: Repository,
  branch: string,
  about: Pushed,
  tree: string,
): Promise<void> {
  const rules = await services.loadFile(repository, repository.defaultBranch);
  if (rules.kind !== "file") return;
  const environments = Object.values(rules.file.environments).filter(({ trigger }) => trigger !== "pull_request");
  if (!environments.some((environment) => (environment.branch ?? repository.defaultBranch) === branch)) return;
  const own = await services.loadFile(repository, about.sha);
  if (own.kind === "none") return;
  await learnHeadTrees(services, repository, branch);
  await services.database.write(async (tx) => {
    await keepReading(tx, repository.id, about.sha, own.kind === "mistakes" ? own : { kind: "fine" });
    if (own.kind === "mistakes") return;
    const commit = { ...about, repository: repository.id, ref: branch, trust: "own" as const };
    await checkOnce(tx, commit, tree, planChecks(own.file, null));
  });
}
