import { z } from "zod";
import { checkRunJson, tellCheckRun } from "../deeds/check-runs.ts";
import { type Answer, created, forbidden, notFound, ok, page } from "../http/answers.ts";
import { bodyOf } from "../http/body.ts";
import { type Call, numberIn, parameter, type Route, repositoryRoute } from "../http/router.ts";
import type { CheckRun, RepositoryState } from "../repository-state.ts";
import { requireCommit } from "./commits.ts";

/** https://docs.github.com/en/rest/checks/runs; only Apps may write them. */
export const checkRunRoutes: readonly Route[] = [
  repositoryRoute("GET", "/commits/:ref/check-runs", ["checks:read"], async (call, repository) => {
    const sha = await requireCommit(repository, parameter(call, "ref"));
    const name = call.url.searchParams.get("check_name");
    const app = call.url.searchParams.get("app_id");
    const all = repository.checkRuns
      .filter((run) => run.sha === sha && (name === null || run.name === name))
      // There are no other Apps here.
      .filter(() => app === null || Number(app) === call.world.app.id)
      .reverse();
    const newest = all.filter((run, at) => all.findIndex((other) => other.name === run.name) === at);
    const shown = call.url.searchParams.get("filter") === "all" ? all : newest;
    return page(
      call.url,
      shown.map((run) => checkRunJson(call.world, repository, run)),
      (runs) => ({ total_count: shown.length, check_runs: runs }),
    );
  }),
  repositoryRoute("POST", "/check-runs", ["checks:write"], create),
  repositoryRoute("GET", "/check-runs/:id", ["checks:read"], (call, repository) =>
    ok(checkRunJson(call.world, repository, runIn(call, repository))),
  ),
  repositoryRoute("PATCH", "/check-runs/:id", ["checks:write"], (call, repository) => {
    const run = runIn(call, repository);
    apply(call, run, bodyOf(call, "CheckRun", update));
    if (run.status === "completed") tellCheckRun(call.world, repository, run, "completed");
    return ok(checkRunJson(call.world, repository, run));
  }),
];

const annotation = z.object({
  path: z.string(),
  start_line: z.int(),
  end_line: z.int(),
  annotation_level: z.enum(["notice", "warning", "failure"]),
  message: z.string().max(65_536),
});

const update = z.object({
  name: z.string().optional(),
  status: z.enum(["queued", "in_progress", "completed", "waiting", "requested", "pending"]).optional(),
  conclusion: z
    .enum(["action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"])
    .optional(),
  details_url: z.url().optional(),
  external_id: z.string().optional(),
  started_at: z.iso.datetime().optional(),
  completed_at: z.iso.datetime().optional(),
  output: z
    .object({
      title: z.string().optional(),
      summary: z.string().max(65_535),
      text: z.string().max(65_535).optional(),
      // https://docs.github.com/en/rest/checks/runs#update-a-check-run: more than 50 take several requests.
      annotations: z.array(annotation).max(50).optional(),
    })
    .optional(),
});

async function create(call: Call, repository: RepositoryState): Promise<Answer> {
  if (call.caller.kind !== "installation") throw forbidden("You must authenticate via a GitHub App.");
  const wish = bodyOf(call, "CheckRun", update.extend({ name: z.string(), head_sha: z.string() }));
  const run: CheckRun = {
    id: call.world.id(),
    app: call.world.app.slug,
    suite: call.world.id(),
    sha: await requireCommit(repository, wish.head_sha),
    name: wish.name,
    status: "queued",
    conclusion: null,
    detailsUrl: null,
    externalId: "",
    startedAt: call.world.clock.now(),
    completedAt: null,
    output: { title: null, summary: null, text: null },
    annotations: [],
  };
  apply(call, run, wish);
  repository.checkRuns.push(run);
  tellCheckRun(call.world, repository, run, "created");
  if (run.status === "completed") tellCheckRun(call.world, repository, run, "completed");
  return created(checkRunJson(call.world, repository, run));
}

/** A conclusion completes it, said or not; another status begins it anew. Annotations add up. */
function apply(call: Call, run: CheckRun, wish: z.infer<typeof update>): void {
  run.status = wish.conclusion ? "completed" : (wish.status ?? run.status);
  run.conclusion = run.status === "completed" ? (wish.conclusion ?? run.conclusion) : null;
  run.detailsUrl = wish.details_url ?? run.detailsUrl;
  run.externalId = wish.external_id ?? run.externalId;
  if (wish.started_at) run.startedAt = new Date(wish.started_at);
  if (run.status === "completed") run.completedAt = wish.completed_at ? new Date(wish.completed_at) : call.world.clock.now();
  else run.completedAt = null;
  if (wish.output)
    run.output = { title: wish.output.title ?? null, summary: wish.output.summary, text: wish.output.text ?? null };
  run.annotations.push(...(wish.output?.annotations ?? []));
}

function runIn(call: Call, repository: RepositoryState): CheckRun {
  const id = numberIn(call, "id");
  const run = repository.checkRuns.find((one) => one.id === id);
  if (!run) throw notFound();
  return run;
}
