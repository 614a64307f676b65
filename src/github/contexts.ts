import type { Installation } from "./github.ts";
import type { Repository } from "./repository.ts";

/** The newest that somebody said of a commit under one name. */
export interface CommitContext {
  readonly context: string;
  readonly state: "passed" | "pending" | "failed";
  readonly updatedAt: Date;
  /** The App that said it, where GitHub tells. */
  readonly app: number | null;
}

/**
 * All statuses and check runs of a commit, the newest of each name; a status and a check run of the same name are two.
 * https://docs.github.com/en/rest/commits/statuses#get-the-combined-status-for-a-specific-reference
 * https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference
 */
export async function contextsOf(github: Installation, repository: Repository, sha: string): Promise<readonly CommitContext[]> {
  const commit = { owner: repository.owner, repo: repository.name, ref: sha, per_page: perPage };
  const statuses = await allPages(async (page) => {
    const { data } = await github.request("GET /repos/{owner}/{repo}/commits/{ref}/status", { ...commit, page });
    return data.statuses.map((status) => ({
      context: status.context,
      state: stateOfStatus(status.state),
      updatedAt: new Date(status.updated_at),
      app: null,
    }));
  });
  const checkRuns = await allPages(async (page) => {
    const { data } = await github.request("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", { ...commit, page });
    return data.check_runs.map(contextOfCheckRun);
  });
  return [...statuses, ...checkRuns];
}

/**
 * The App that posted the newest status of a context; `null` when it was a person. Statuses name their creator, and an App posts as its bot.
 * https://docs.github.com/en/rest/commits/statuses#list-commit-statuses-for-a-reference
 */
export async function appOfStatus(
  github: Installation,
  { owner, name: repo }: Repository,
  ref: string,
  context: string,
): Promise<number | null> {
  const route = "GET /repos/{owner}/{repo}/commits/{ref}/statuses";
  const { data } = await github.request(route, { owner, repo, ref, per_page: perPage });
  const newest = data.find((status) => status.context.toLowerCase() === context.toLowerCase());
  const slug = /^(.+)\[bot\]$/.exec(newest?.creator?.login ?? "")?.[1];
  if (slug === undefined) return null;
  return (await github.request("GET /apps/{app_slug}", { app_slug: slug })).data?.id ?? null;
}

/** https://docs.github.com/en/rest/commits/statuses: `error`, `failure`, `pending` or `success`. */
export function stateOfStatus(state: string): CommitContext["state"] {
  if (state === "success") return "passed";
  return state === "pending" ? "pending" : "failed";
}

interface CheckRun {
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly app: { readonly id?: number | undefined } | null;
}

/** Which conclusions let a commit pass: https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/about-status-checks */
export function contextOfCheckRun(run: CheckRun): CommitContext {
  const passes = ["success", "neutral", "skipped"].includes(run.conclusion ?? "");
  return {
    context: run.name,
    state: run.status !== "completed" ? "pending" : passes ? "passed" : "failed",
    updatedAt: new Date(run.completed_at ?? run.started_at ?? 0),
    app: run.app?.id ?? null,
  };
}

const perPage = 100;
/** GitHub keeps at most 1,000 check suites of a commit; who has more contexts than this has other troubles. */
const mostPages = 10;

async function allPages<T>(read: (page: number) => Promise<readonly T[]>): Promise<readonly T[]> {
  const all: T[] = [];
  for (let page = 1; page <= mostPages; page += 1) {
    const some = await read(page);
    all.push(...some);
    if (some.length < perPage) break;
  }
  return all;
}
