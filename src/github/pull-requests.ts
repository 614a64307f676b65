import type { Installation } from "./github.ts";
import type { Repository } from "./repository.ts";

/** A pull request as GitHub shows it. */
export interface KnownHead {
  readonly number: number;
  readonly headSha: string;
  readonly headRef: string;
  readonly baseRef: string;
  readonly fork: boolean;
  readonly state: "open" | "closed" | "merged";
  readonly draft: boolean;
  readonly title: string;
  readonly author: string;
  readonly updatedAt: Date;
}

/** A pull request as it is at GitHub now. https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request */
export async function readPullRequest(github: Installation, repository: Repository, number: number): Promise<KnownHead> {
  const { owner, name } = repository;
  const { data } = await github.request("GET /repos/{owner}/{repo}/pulls/{pull_number}", {
    owner,
    repo: name,
    pull_number: number,
  });
  return headFrom(data, repository);
}

/** All that are open now, those that changed last first; of more than a thousand the others are left out. https://docs.github.com/en/rest/pulls/pulls#list-pull-requests */
export async function openPullRequests(github: Installation, repository: Repository): Promise<readonly KnownHead[]> {
  const { owner, name } = repository;
  const open: KnownHead[] = [];
  for (let page = 1; page <= 10; page += 1) {
    const { data } = await github.request("GET /repos/{owner}/{repo}/pulls", {
      owner,
      repo: name,
      state: "open",
      sort: "updated",
      direction: "desc",
      per_page: 100,
      page,
    });
    open.push(...data.map((one) => headFrom(one, repository)));
    if (data.length < 100) break;
  }
  return open;
}

interface Shown {
  readonly number: number;
  readonly state: string;
  readonly draft?: boolean | undefined;
  readonly merged_at: string | null;
  readonly title: string;
  readonly updated_at: string;
  readonly user: { readonly login: string } | null;
  /** The types say that it is always there, but a fork may be deleted while its pull request is open. */
  readonly head: { readonly sha: string; readonly ref: string; readonly repo: { readonly id: number | bigint } | null };
  readonly base: { readonly ref: string };
}

/** A head whose repository is gone counts as a fork's. */
function headFrom(shown: Shown, { id }: Repository): KnownHead {
  return {
    number: shown.number,
    headSha: shown.head.sha,
    headRef: shown.head.ref,
    baseRef: shown.base.ref,
    fork: shown.head.repo === null || Number(shown.head.repo.id) !== id,
    state: shown.state === "open" ? "open" : shown.merged_at === null ? "closed" : "merged",
    draft: shown.draft ?? false,
    title: shown.title,
    author: shown.user?.login ?? "ghost",
    updatedAt: new Date(shown.updated_at),
  };
}
