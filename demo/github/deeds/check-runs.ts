import { nodeId } from "../json/account.ts";
import { appJson } from "../json/app.ts";
import { repositoryPage, repositoryUrl } from "../json/repository.ts";
import type { CheckRun, RepositoryState } from "../repository-state.ts";
import type { Account, World } from "../world.ts";
import { announce } from "./announce.ts";

/** A check run as the API shows it. */
export function checkRunJson(world: World, repository: RepositoryState, run: CheckRun): Record<string, unknown> {
  const url = `${repositoryUrl(world, repository)}/check-runs/${run.id}`;
  return {
    id: run.id,
    head_sha: run.sha,
    node_id: nodeId("CR", run.id),
    external_id: run.externalId,
    url,
    html_url: `${repositoryPage(world, repository)}/runs/${run.id}`,
    details_url: run.detailsUrl ?? `${repositoryPage(world, repository)}/runs/${run.id}`,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt.toISOString(),
    completed_at: run.completedAt?.toISOString() ?? null,
    output: { ...run.output, annotations_count: run.annotations.length, annotations_url: `${url}/annotations` },
    name: run.name,
    check_suite: { id: run.suite },
    app: appJson(world),
    pull_requests: [],
  };
}

/** Fires `check_run`, whose check suite says more than the API's. */
export function tellCheckRun(
  world: World,
  repository: RepositoryState,
  run: CheckRun,
  action: "created" | "completed" | "rerequested",
  by: Account = world.app.bot,
): void {
  const suite = {
    id: run.suite,
    node_id: nodeId("CS", run.suite),
    head_branch: null,
    head_sha: run.sha,
    status: run.status,
    conclusion: run.conclusion,
    url: `${repositoryUrl(world, repository)}/check-suites/${run.suite}`,
    before: null,
    after: run.sha,
    pull_requests: [],
    app: appJson(world),
    created_at: run.startedAt.toISOString(),
    updated_at: (run.completedAt ?? run.startedAt).toISOString(),
  };
  announce(world, repository, "check_run", by, {
    action,
    check_run: { ...checkRunJson(world, repository, run), check_suite: suite },
  });
}
