import { findHead } from "../../../checks/heads.ts";
import { missingContexts } from "../../../checks/missing-contexts.ts";
import { checksOf, runsOfPullRequest } from "../../../runs/read.ts";
import type { CheckRun, DeploymentRun, Run } from "../../../runs/run.ts";
import type { House, Request } from "../house.ts";
import { runJson } from "../json/run.ts";
import { wholeNumber } from "../log-lines.ts";
import { missingMeans } from "../missing-means.ts";
import { notFound } from "../only.ts";
import { pullRequestPage } from "../pages/pull-request.ts";
import { viewerOf } from "../viewer.ts";
import { wantsJson } from "../wants-json.ts";

/** Enough for many pushes of many checks. */
const mostRuns = 200;

export async function showPullRequest(c: Request, house: House, text: string): Promise<Response> {
  const repository = c.get("repository");
  const number = wholeNumber(text);
  if (number === null || number > 2 ** 31 - 1) return notFound(c, house);
  const view = await house.database.read(async (db) => {
    const head = await findHead(db, repository.id, number);
    if (head === null) return null;
    const trust = head.fork ? "fork" : "own";
    const checks = (await checksOf(db, repository.id, head.headSha)).filter((run) => run.trust === trust);
    const runs = await runsOfPullRequest(db, { repository: repository.id, number, limit: mostRuns });
    return { repository, head, checks, older: olderPushes(runs, head.headSha), deployments: newestDeployments(runs) };
  });
  if (view === null) return notFound(c, house);
  const missing = view.head.state === "open" ? await missingContexts(missingMeans(house), repository, view.head.headSha) : [];
  if (!wantsJson(c)) return c.html(pullRequestPage(house, viewerOf(c, house), { ...view, missing }));
  const { head, checks, older, deployments } = view;
  return c.json({
    number,
    title: head.title,
    state: head.state,
    author: head.author,
    base: head.baseRef,
    sha: head.headSha,
    fork: head.fork,
    updated_at: head.updatedAt,
    checks: checks.map((run) => runJson(house, repository, run)),
    missing: missing.map(({ branch, context }) => ({ branch, context })),
    older: older.map((push) => ({ sha: push.sha, checks: push.checks.map((run) => runJson(house, repository, run)) })),
    deployments: deployments.map((run) => runJson(house, repository, run)),
  });
}

function olderPushes(
  runs: readonly Run[],
  newest: string,
): readonly { readonly sha: string; readonly checks: readonly CheckRun[] }[] {
  const pushes = new Map<string, CheckRun[]>();
  for (const run of runs)
    if (run.kind === "check" && run.sha !== newest) pushes.set(run.sha, [run, ...(pushes.get(run.sha) ?? [])]);
  return [...pushes].map(([sha, checks]) => ({ sha, checks }));
}

/** The preview stands first: it is what a reviewer wants to see. */
function newestDeployments(runs: readonly Run[]): readonly DeploymentRun[] {
  const newest = new Map<string, DeploymentRun>();
  for (const run of runs) if (run.kind === "deployment" && !newest.has(run.environment)) newest.set(run.environment, run);
  const isPreview = (run: DeploymentRun) => run.preview !== null;
  return [...newest.values()].sort((a, b) => Number(isPreview(b)) - Number(isPreview(a)) || a.id - b.id);
}
