import type { Installation } from "./github.ts";
import { GitHubProblem } from "./problem.ts";
import type { Repository } from "./repository.ts";

/**
 * A commit's message. Rejects with a retryable problem when GitHub does not know the commit (yet): events can arrive before the API shows
 * what they are about. https://docs.github.com/en/rest/git/commits#get-a-commit-object
 */
export async function commitMessage(github: Installation, { owner, name }: Repository, sha: string): Promise<string> {
  try {
    const { data } = await github.request("GET /repos/{owner}/{repo}/git/commits/{commit_sha}", {
      owner,
      repo: name,
      commit_sha: sha,
    });
    return data.message;
  } catch (error) {
    if (!(error instanceof GitHubProblem) || error.kind !== "missing") throw error;
    throw new GitHubProblem("unavailable", `GitHub does not know ${sha} yet`, { cause: error });
  }
}
