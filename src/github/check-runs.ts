import type { Installation } from "./github.ts";
import type { Repository } from "./repository.ts";

/** What a check run shows. https://docs.github.com/en/rest/checks/runs */
export interface CheckRunShown {
  readonly name: string;
  readonly details_url: string;
  /** By which ours are found again. */
  readonly external_id: string;
  readonly status: "queued" | "in_progress" | "completed";
  /** Exactly when it is completed. */
  readonly conclusion?: "success" | "failure" | "cancelled";
  readonly started_at?: string;
  readonly completed_at?: string;
  readonly output: {
    readonly title: string;
    /** Markdown, at most 65,535 characters. */
    readonly summary: string;
    /** Added to those that it has. */
    readonly annotations?: readonly Annotation[];
  };
}

export interface Annotation {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly annotation_level: "notice" | "warning" | "failure";
  readonly message: string;
}

/** GitHub takes so many in one request, and adds up those of several. */
export const annotationsAtOnce = 50;

/** Creates one more each time: of those with the same name the newest counts. */
export async function createCheckRun(
  github: Installation,
  { owner, name: repo }: Repository,
  sha: string,
  shown: CheckRunShown,
): Promise<number> {
  const { data } = await github.request("POST /repos/{owner}/{repo}/check-runs", {
    owner,
    repo,
    head_sha: sha,
    ...bodyOf(shown),
  });
  return Number(data.id);
}

/** Changes what is shown. A completed one begins anew when its status is another. */
export async function updateCheckRun(
  github: Installation,
  { owner, name: repo }: Repository,
  id: number,
  shown: CheckRunShown,
): Promise<void> {
  const route = "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}";
  await github.request(route, { owner, repo, check_run_id: id, ...bodyOf(shown) });
}

/** A check run of the App that was made, as far as anybody knows: creating it may have reached GitHub without our hearing of it. */
export async function findCheckRun(
  github: Installation,
  { owner, name: repo }: Repository,
  of: { readonly sha: string; readonly name: string; readonly externalId: string; readonly app: number },
): Promise<{ readonly id: number; readonly annotations: number } | null> {
  const { data } = await github.request("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", {
    owner,
    repo,
    ref: of.sha,
    check_name: of.name,
    app_id: of.app,
    filter: "all",
    per_page: 100,
  });
  const found = data.check_runs.find((run) => run.external_id === of.externalId);
  return found === undefined ? null : { id: Number(found.id), annotations: found.output.annotations_count };
}

/** Octokit's types want arrays that may be changed. */
function bodyOf({ output: { annotations = [], ...output }, ...shown }: CheckRunShown) {
  return { ...shown, output: { ...output, annotations: [...annotations] } };
}
