import type { PullRequestHead } from "../../checks/heads.ts";
import type { Repository } from "../../github/repository.ts";
import type { Cause } from "../../runs/run.ts";

/** The parts of GitHub's payloads that name a repository. https://docs.github.com/en/webhooks/webhook-events-and-payloads */
interface WithRepository {
  readonly repository: {
    readonly id: number;
    readonly name: string;
    readonly owner: { readonly login?: string; readonly name?: string | null | undefined } | null;
    readonly default_branch: string;
    readonly clone_url: string;
    readonly private: boolean;
  };
  readonly installation?: { readonly id: number } | undefined;
}

/** The repository that an event is about. Throws for an event without an installation: the inbox lets none of those through. */
export function repositoryFrom({ repository, installation }: WithRepository): Repository {
  if (installation === undefined) throw new Error("The event names no installation");
  return {
    id: repository.id,
    installation: installation.id,
    owner: repository.owner?.login ?? repository.owner?.name ?? "",
    name: repository.name,
    defaultBranch: repository.default_branch,
    cloneUrl: repository.clone_url,
    private: repository.private,
  };
}

interface WithPullRequest extends WithRepository {
  readonly pull_request: {
    readonly number: number;
    readonly title: string;
    readonly state: string;
    readonly draft?: boolean | undefined;
    readonly merged?: boolean | null | undefined;
    readonly updated_at: string;
    readonly user: { readonly login: string } | null;
    readonly head: { readonly sha: string; readonly ref: string; readonly repo: { readonly id: number } | null };
    readonly base: { readonly ref: string };
  };
}

/** A head whose repository is gone counts as a fork's: nobody vouches for it. */
export function pullRequestFrom({ pull_request, repository }: WithPullRequest): PullRequestHead {
  return {
    repository: repository.id,
    number: pull_request.number,
    headSha: pull_request.head.sha,
    headRef: pull_request.head.ref,
    baseRef: pull_request.base.ref,
    fork: pull_request.head.repo?.id !== repository.id,
    state: pull_request.state === "open" ? "open" : pull_request.merged ? "merged" : "closed",
    draft: pull_request.draft ?? false,
    title: pull_request.title,
    author: pull_request.user?.login ?? "ghost",
    updatedAt: new Date(pull_request.updated_at),
  };
}

/** The receipt that a handler was called for: the inbox passes its id on as the event's. */
export function receiptOf(context: { readonly id: string }): Cause & { readonly kind: "receipt" } {
  return { kind: "receipt", id: Number(context.id) };
}
