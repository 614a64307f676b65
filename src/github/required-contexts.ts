import type { Installation } from "./github.ts";
import { GitHubProblem } from "./problem.ts";
import type { Repository } from "./repository.ts";

/** One status or check run that a branch requires. */
export interface RequiredContext {
  readonly context: string;
  /** The App that has to say so; `null` when anybody may. */
  readonly app: number | null;
}

/** What must be green before a commit comes into a branch. */
export interface RequiredContexts {
  readonly contexts: readonly RequiredContext[];
  /** Why there may be more: GitHub does not tell the App everything. */
  readonly problem: string | null;
}

/**
 * Reads a branch's rulesets and its branch protection, which are two things; a branch may have both. Two requests, without a permission beyond
 * those the App asks for: the branch itself names what its protection requires, to everybody who may read it.
 * https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch
 * https://docs.github.com/en/rest/branches/branches#get-a-branch
 */
export async function requiredContextsOf(
  github: Installation,
  repository: Repository,
  branch: string,
): Promise<RequiredContexts> {
  const where = { owner: repository.owner, repo: repository.name, branch };
  const answers = await Promise.all([
    told(async () => {
      const { data } = await github.request("GET /repos/{owner}/{repo}/rules/branches/{branch}", { ...where, per_page: 100 });
      return data.flatMap((rule) =>
        rule.type === "required_status_checks"
          ? (rule.parameters?.required_status_checks ?? []).map(({ context, integration_id: app = null }) => ({ context, app }))
          : [],
      );
    }),
    told(async () => {
      const { data } = await github.request("GET /repos/{owner}/{repo}/branches/{branch}", where);
      const { contexts = [], checks } = data.protection.required_status_checks ?? {};
      // An older GitHub Enterprise Server names no Apps; "-1" stands for any.
      return (checks ?? contexts.map((context) => ({ context, app_id: null }))).map(({ context, app_id: app }) => {
        return { context, app: app === -1 ? null : app };
      });
    }),
  ]);
  const contexts = answers.flatMap((answer) => answer.contexts);
  const once = new Map(contexts.map((one) => [`${one.app} ${one.context}`, one]));
  return { contexts: [...once.values()], problem: answers.find(({ problem }) => problem !== null)?.problem ?? null };
}

/** An older GitHub Enterprise Server has no rulesets, and a branch may be gone: neither requires anything. */
async function told(ask: () => Promise<RequiredContexts["contexts"]>): Promise<RequiredContexts> {
  try {
    return { contexts: await ask(), problem: null };
  } catch (error) {
    if (!(error instanceof GitHubProblem) || error.retryable) throw error;
    return { contexts: [], problem: error.kind === "missing" ? null : error.message };
  }
}
