import type { Installation } from "./github.ts";
import type { Repository } from "./repository.ts";

/** An open pull request, as far as an event about it would tell. */
export interface OpenPullRequest {
  readonly number: number;
  readonly headSha: string;
  readonly updatedAt: Date;
  /** What an event has under `pull_request`. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** The open pull requests that changed last, the newest first. https://docs.github.com/en/rest/pulls/pulls#list-pull-requests */
export async function openPullRequests(github: Installation, { owner, name }: Repository): Promise<readonly OpenPullRequest[]> {
  const { data } = await github.request("GET /repos/{owner}/{repo}/pulls", {
    owner,
    repo: name,
    state: "open",
    sort: "updated",
    direction: "desc",
    per_page: 50,
  });
  return data.map(({ number, title, state, updated_at, user, head, base }) => ({
    number,
    headSha: head.sha,
    updatedAt: new Date(updated_at),
    payload: {
      number,
      title,
      state,
      updated_at,
      user: user === null ? null : { login: user.login },
      // The types say that it is always there, but a fork may be deleted while its pull request is open.
      head: { sha: head.sha, ref: head.ref, repo: (head.repo as { readonly id: number } | null) && { id: head.repo.id } },
      base: { ref: base.ref },
    },
  }));
}

/** A deployment, as far as an event about it would tell. */
export interface ListedDeployment {
  readonly id: number;
  readonly createdAt: Date;
  readonly environment: string;
  /** What an event has under `deployment`. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** The newest deployments. https://docs.github.com/en/rest/deployments/deployments#list-deployments */
export async function newestDeployments(github: Installation, { owner, name }: Repository): Promise<readonly ListedDeployment[]> {
  const { data } = await github.request("GET /repos/{owner}/{repo}/deployments", { owner, repo: name, per_page: 50 });
  return data.map((deployment) => {
    const { id, sha, ref, task, environment, payload, creator, created_at, performed_via_github_app: app } = deployment;
    return {
      id: Number(id),
      createdAt: new Date(created_at),
      environment,
      payload: {
        id: Number(id),
        sha,
        ref,
        task,
        environment,
        payload,
        creator: creator === null ? null : { login: creator.login, id: Number(creator.id), type: creator.type },
        performed_via_github_app: app == null ? null : { id: app.id },
      },
    };
  });
}

/** Whether nobody has said anything of a deployment yet. https://docs.github.com/en/rest/deployments/statuses#list-deployment-statuses */
export async function isUntouched(github: Installation, { owner, name }: Repository, deployment: number): Promise<boolean> {
  const { data } = await github.request("GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses", {
    owner,
    repo: name,
    deployment_id: deployment,
    per_page: 1,
  });
  return data.length === 0;
}
