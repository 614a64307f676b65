import type { Installation } from "./github.ts";
import { GitHubProblem } from "./problem.ts";
import type { Repository } from "./repository.ts";

/**
 * The full SHA of a commit from its first digits; `null` when there is none, or several begin so.
 * https://docs.github.com/en/rest/commits/commits#get-a-commit
 */
export async function findCommit(github: Installation, { owner, name }: Repository, digits: string): Promise<string | null> {
  try {
    const { data } = await github.request("GET /repos/{owner}/{repo}/commits/{ref}", { owner, repo: name, ref: digits });
    // A branch may be called like the beginning of a SHA.
    return data.sha.startsWith(digits) ? data.sha : null;
  } catch (error) {
    if (error instanceof GitHubProblem && (error.kind === "missing" || error.kind === "refused")) return null;
    throw error;
  }
}
