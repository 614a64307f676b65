import type { Database, Query } from "../database/connection.ts";
import type { Repository } from "../github/repository.ts";
import type { RequiredContexts } from "../github/required-contexts.ts";
import { checksOf } from "../runs/read.ts";
import { short } from "../runs/sentences.ts";

/** A context that a branch requires and that nobody produces: what waits for it waits for ever. */
export interface MissingContext {
  readonly branch: string;
  /** `null` when GitHub does not tell all that the branch requires. */
  readonly context: string | null;
  /** What is wrong and what to do, for people. */
  readonly sentence: string;
}

export interface MissingMeans {
  readonly database: Database;
  readonly contextPrefix: string;
  /** What a branch requires; `null` when that is not known now. See `requiredContextsOf`. */
  required(repository: Repository, branch: string): Promise<RequiredContexts | null>;
}

/**
 * Which required contexts nobody produces for a commit: neither one of its checks here, nor anybody else who was ever heard of in this repository.
 * The branches are those that the commit's open pull requests want to come into; for any other commit it is the default branch.
 */
export async function missingContexts(
  { database, contextPrefix, required }: MissingMeans,
  repository: Repository,
  sha: string,
): Promise<readonly MissingContext[]> {
  const { branches, checks } = await database.read(async (db) => ({
    branches: await branchesFor(db, repository, sha),
    checks: await checksOf(db, repository.id, sha),
  }));
  const ours = checks.length === 0 ? [] : [contextPrefix, ...checks.map(({ name }) => `${contextPrefix}/${name}`)];
  const missing = await Promise.all(
    branches.map(async (branch) => {
      const rules = await required(repository, branch);
      const contexts = [...new Set(rules?.contexts.map(({ context }) => context))];
      const heard = await database.read((db) => heardOf(db, repository.id, contexts));
      const produced = new Set([...ours, ...heard].map((context) => context.toLowerCase()));
      const absent = contexts
        .filter((context) => !produced.has(context.toLowerCase()))
        .map((context) => ({ branch, context, sentence: inWords({ branch, context, sha, contextPrefix }) }));
      return rules === null || rules.problem === null ? absent : [...absent, untold(branch, rules.problem)];
    }),
  );
  return missing.flat();
}

/** `problem`: GitHub's reason. */
export function untold(branch: string, problem: string): MissingContext {
  return { branch, context: null, sentence: `${branch} may require more: GitHub does not tell all of it (${problem})` };
}

function inWords({
  branch,
  context,
  sha,
  contextPrefix,
}: {
  readonly branch: string;
  readonly context: string;
  readonly sha: string;
  readonly contextPrefix: string;
}): string {
  const [given, prefix] = [context.toLowerCase(), contextPrefix.toLowerCase()];
  const required = `${branch} requires ${context}`;
  if (given === prefix) return `${required}, and ${short(sha)} has no check: give it a .github/signalbox.yml with one`;
  if (given.startsWith(`${prefix}/`))
    return `${required}, and ${short(sha)} has no check of that name: require ${contextPrefix} instead, which stands for all of them`;
  return `${required}, and nobody has ever reported it in this repository: is it called so, and does anything report it?`;
}

async function branchesFor(db: Query, repository: Repository, sha: string): Promise<readonly string[]> {
  const heads = await db
    .selectFrom("pull_request_head")
    .select("base_ref")
    .distinct()
    .where("repository", "=", repository.id)
    .where("head_sha", "=", sha)
    .where("state", "=", "open")
    .execute();
  return heads.length === 0 ? [repository.defaultBranch] : heads.map((head) => head.base_ref);
}

/** Of these contexts, those that somebody else has reported for any commit of the repository. */
async function heardOf(db: Query, repository: number, contexts: readonly string[]): Promise<readonly string[]> {
  if (contexts.length === 0) return [];
  const rows = await db
    .selectFrom("commit_context")
    .select("context")
    .distinct()
    .where("repository", "=", repository)
    .where(
      "context",
      "in",
      contexts.map((context) => context.toLowerCase()),
    )
    .execute();
  return rows.map((row) => row.context);
}
