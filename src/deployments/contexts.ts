import type { Transaction } from "../database/connection.ts";
import { type CommitContext, contextsOf } from "../github/contexts.ts";
import { GitHubProblem } from "../github/problem.ts";
import type { Repository } from "../github/repository.ts";
import { wantReconsidering } from "../runs/reconsidering.ts";
import type { DeploymentRun } from "../runs/run.ts";
import { type DeploymentConfiguration, reconfigure } from "./configuration.ts";
import type { DeploymentMeans } from "./means.ts";
import type { Rules } from "./rules.ts";

/**
 * Keeps what others said of a commit, the newest for each name, and has waiting deployments thought through. What we said ourselves is
 * left out: of our checks our own database knows better than whoever can post a status.
 */
export async function rememberContext(
  tx: Transaction,
  { repository, sha }: { readonly repository: number; readonly sha: string },
  { context, state, updatedAt }: CommitContext,
): Promise<void> {
  const row = { repository, sha, context: context.toLowerCase(), state, updated_at: updatedAt.getTime() };
  const kept = await tx.db
    .insertInto("commit_context")
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(["repository", "sha", "context"])
        .doUpdateSet({ state, updated_at: row.updated_at })
        // Of two within GitHub's one second, the one that arrives last.
        .where("commit_context.updated_at", "<=", row.updated_at),
    )
    .returning("state")
    .executeTakeFirst();
  if (kept !== undefined && (await someWait(tx, repository))) await wantReconsidering(tx, repository);
}

/** Whether a context is ours: the aggregate, or one of a check. */
export function isOurs(context: string, prefix: string): boolean {
  const [given, ours] = [context.toLowerCase(), prefix.toLowerCase()];
  return given === ours || given.startsWith(`${ours}/`);
}

/**
 * Asks GitHub what others said of the commit, where the rules need it and nobody has told us: once for each run and name, because from then
 * on events tell. A missing permission leaves the gate shut, and is said in the log.
 */
export async function askForContexts(
  means: DeploymentMeans,
  repository: Repository,
  run: DeploymentRun,
  configuration: DeploymentConfiguration,
  rules: Rules,
): Promise<void> {
  const { required, heads } = wantedContexts(run, configuration, rules);
  const unasked = required.filter((name) => !configuration.asked.includes(name));
  if (unasked.length === 0) return;
  const said = await Promise.all(heads.map(async (sha) => ({ sha, contexts: await ask(means, repository, sha) })));
  await means.database.write(async (tx) => {
    for (const { sha, contexts } of said) {
      for (const one of contexts) {
        if (!isOurs(one.context, means.settings.contextPrefix) && one.app !== means.settings.appId)
          await rememberContext(tx, { repository: repository.id, sha }, one);
      }
    }
    await reconfigure(tx, run.id, (before) => ({ ...before, asked: [...before.asked, ...unasked] }));
  });
}

/** The names that the rules need of others, and the commits of which they may be said. */
export function wantedContexts(
  { sha }: Pick<DeploymentRun, "sha">,
  { head, headHasSameTree }: Pick<DeploymentConfiguration, "head" | "headHasSameTree">,
  { requireChecks }: Rules,
): { readonly required: readonly string[]; readonly heads: readonly string[] } {
  const required = requireChecks.kind === "these" ? requireChecks.contexts : [];
  return { required, heads: head !== null && headHasSameTree && head !== sha ? [sha, head] : [sha] };
}

async function ask({ github, log }: DeploymentMeans, repository: Repository, sha: string): Promise<readonly CommitContext[]> {
  try {
    return await contextsOf(github.as(repository.installation), repository, sha);
  } catch (error) {
    if (!(error instanceof GitHubProblem) || error.retryable) throw error;
    log.warn({ err: error, repository: repository.id, sha }, "GitHub does not tell what others said of a commit");
    return [];
  }
}

async function someWait(tx: Transaction, repository: number): Promise<boolean> {
  const waiting = tx.db
    .selectFrom("run")
    .select("id")
    .where("repository", "=", repository)
    .where("kind", "=", "deployment")
    // The index knows the unfinished ones.
    .where("state", "<>", "finished")
    .where("state", "=", "waiting")
    .limit(1);
  return (await waiting.executeTakeFirst()) !== undefined;
}
