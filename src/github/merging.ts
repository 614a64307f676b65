import type { Installation } from "./github.ts";
import { GitHubProblem } from "./problem.ts";
import type { Repository } from "./repository.ts";

/** A pull request with all that decides whether it can be merged. */
export interface MergeablePullRequest {
  readonly state: "open" | "closed" | "merged";
  readonly draft: boolean;
  readonly headSha: string;
  readonly baseRef: string;
  readonly fork: boolean;
  readonly labels: readonly string[];
  /** `null` while GitHub is still finding out; asking makes it. */
  readonly mergeable: boolean | null;
}

/** https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request */
export async function readMergeable(
  github: Installation,
  { id, owner, name }: Repository,
  number: number,
): Promise<MergeablePullRequest> {
  const { data } = await github.request("GET /repos/{owner}/{repo}/pulls/{pull_number}", {
    owner,
    repo: name,
    pull_number: number,
  });
  return {
    state: data.state === "open" ? "open" : data.merged ? "merged" : "closed",
    draft: data.draft === true,
    headSha: data.head.sha,
    baseRef: data.base.ref,
    // The types say that it is always there, but a fork may be deleted while its pull request is open.
    fork: (data.head.repo as { readonly id: number } | null)?.id !== id,
    labels: data.labels.map((label) => label.name),
    mergeable: data.mergeable,
  };
}

/** What came of the wish to merge. Anything else rejects, and may have merged all the same: ask what is. */
export type Merged =
  | { readonly kind: "merged"; readonly sha: string }
  | { readonly kind: "head moved" }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "not permitted"; readonly permission: "contents" | "workflows" };

/** Merges that very head and no other. https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request */
export async function mergePullRequest(
  github: Installation,
  { owner, name }: Repository,
  { number, sha, method }: { readonly number: number; readonly sha: string; readonly method: "merge" | "squash" | "rebase" },
): Promise<Merged> {
  try {
    const { data } = await github.request("PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge", {
      owner,
      repo: name,
      pull_number: number,
      sha,
      merge_method: method,
    });
    return { kind: "merged", sha: data.sha };
  } catch (error) {
    if (!(error instanceof GitHubProblem) || error.retryable) throw error;
    const why = wordsOf(error);
    if (/\bworkflows?\b.*permission/i.test(why)) return { kind: "not permitted", permission: "workflows" };
    if (error.kind === "forbidden" && /not accessible/i.test(why)) return { kind: "not permitted", permission: "contents" };
    return error.status === 409 ? { kind: "head moved" } : { kind: "refused", why };
  }
}

/** What GitHub itself said, without the route and the link to its documentation. */
function wordsOf({ message }: GitHubProblem): string {
  return message.replace(/^GitHub answered "[^"]*" with \d+: /, "").replace(/ - https?:\S+$/, "");
}
