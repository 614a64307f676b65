import { z } from "zod";
import { mergePullRequest } from "../deeds/merging.ts";
import { atLeast, roleOf } from "../deeds/people.ts";
import { changeBase, closePullRequest, openPullRequest, reopenPullRequest } from "../deeds/pull-requests.ts";
import { reviewJson } from "../deeds/reviews.ts";
import { readCommits } from "../git/commits.ts";
import { mergeBase, readDifferences } from "../git/differences.ts";
import { actor, allows } from "../http/access.ts";
import { type Answer, created, forbidden, invalid, notFound, ok, page, Refusal } from "../http/answers.ts";
import { bodyOf } from "../http/body.ts";
import { type Call, numberIn, type Route, repositoryRoute } from "../http/router.ts";
import { commitJson, fileChangeJson } from "../json/commit.ts";
import { pullRequestJson, pullRequestSummaryJson } from "../json/pull-request.ts";
import type { PullRequest, RepositoryState } from "../repository-state.ts";
import { findRepository } from "../world.ts";

/** https://docs.github.com/en/rest/pulls/pulls */
export const pullRequestRoutes: readonly Route[] = [
  repositoryRoute("GET", "/pulls", ["pull_requests:read"], listPullRequests),
  repositoryRoute("POST", "/pulls", ["pull_requests:write"], open),
  repositoryRoute("GET", "/pulls/:number", ["pull_requests:read"], (call, repository) => shown(call, pullIn(call, repository))),
  repositoryRoute("PATCH", "/pulls/:number", ["pull_requests:write"], edit),
  repositoryRoute("GET", "/pulls/:number/files", ["pull_requests:read"], async (call, repository) => {
    const { base, head } = pullIn(call, repository);
    const ancestor = (await mergeBase(repository.git, base.sha, head.sha)) ?? base.sha;
    const files = await readDifferences(repository.git, ancestor, head.sha);
    return page(
      call.url,
      files.map((file) => fileChangeJson(call.world, repository, head.sha, file)),
    );
  }),
  repositoryRoute("GET", "/pulls/:number/commits", ["pull_requests:read"], async (call, repository) => {
    const { base, head } = pullIn(call, repository);
    const commits = await readCommits(repository.git, ["--reverse", "--topo-order", `${base.sha}..${head.sha}`]);
    return page(
      call.url,
      commits.map((commit) => commitJson(call.world, repository, commit)),
    );
  }),
  repositoryRoute("GET", "/pulls/:number/reviews", ["pull_requests:read"], (call, repository) => {
    const pull = pullIn(call, repository);
    return page(
      call.url,
      pull.reviews.map((review) => reviewJson(call.world, pull, review, "api")),
    );
  }),
  repositoryRoute("PUT", "/pulls/:number/merge", ["contents:write"], merge),
];

export function pullIn(call: Call, repository: RepositoryState): PullRequest {
  const pull = repository.pullRequests[numberIn(call, "number") - 1];
  if (!pull) throw notFound();
  return pull;
}

/** Asking is what makes GitHub think about whether it can be merged. */
function shown(call: Call, pull: PullRequest): Answer {
  const isKnown = pull.thinking === 0;
  if (!isKnown) pull.thinking -= 1;
  return ok(pullRequestJson(call.world, pull, isKnown ? "known" : "not yet known"));
}

function listPullRequests({ world, url }: Call, repository: RepositoryState): Answer {
  const wanted = {
    state: url.searchParams.get("state") ?? "open",
    head: url.searchParams.get("head"),
    base: url.searchParams.get("base"),
  };
  const direction = url.searchParams.get("direction") === "asc" ? "oldest first" : "newest first";
  const found = repository.pullRequests.filter(
    ({ state, head, base }) =>
      (wanted.state === "all" || wanted.state === state) &&
      (wanted.head === null || wanted.head === `${head.repository.owner.login}:${head.ref}`) &&
      (wanted.base === null || wanted.base === base.ref),
  );
  const ordered = direction === "oldest first" ? found : found.toReversed();
  return page(
    url,
    ordered.map((pull) => pullRequestSummaryJson(world, pull)),
  );
}

const newPullRequest = z.object({
  title: z.string(),
  head: z.string(),
  base: z.string(),
  body: z.string().nullish(),
  draft: z.boolean().optional(),
});

async function open(call: Call, repository: RepositoryState): Promise<Answer> {
  const { title, head, base, body, draft } = bodyOf(call, "PullRequest", newPullRequest);
  const [owner = "", ref = ""] = head.includes(":") ? head.split(":") : [repository.owner.login, head];
  const source = owner === repository.owner.login ? repository : findRepository(call.world, owner, repository.name);
  if (!source) throw invalid({ resource: "PullRequest", field: "head", code: "invalid" });
  const author = actor(call.world, call.caller);
  const wish = { title, base, head: { repository: source, ref }, author, body: body ?? null, draft: draft ?? false };
  const pull = await openPullRequest(call.world, repository, wish).catch((problem: Error) => {
    throw invalid({ resource: "PullRequest", field: "head", code: "custom", message: problem.message });
  });
  return created(pullRequestJson(call.world, pull, "not yet known"));
}

const edition = z.object({
  state: z.enum(["open", "closed"]).optional(),
  base: z.string().optional(),
  title: z.string().optional(),
});

async function edit(call: Call, repository: RepositoryState): Promise<Answer> {
  const { world } = call;
  const pull = pullIn(call, repository);
  const by = actor(world, call.caller);
  if (by !== world.app.bot && by !== pull.author && !atLeast(roleOf(repository, by), "triage"))
    throw forbidden("Must have triage access");
  const wish = bodyOf(call, "PullRequest", edition);
  if (wish.title !== undefined) pull.title = wish.title;
  if (wish.base !== undefined && wish.base !== pull.base.ref) await changeBase(world, pull, wish.base, by);
  if (wish.state === "closed" && pull.state === "open") await closePullRequest(world, pull, by);
  if (wish.state === "open" && pull.state === "closed") {
    if (pull.merged) throw invalid({ resource: "PullRequest", field: "state", code: "invalid" });
    await reopenPullRequest(world, pull, by);
  }
  return ok(pullRequestJson(world, pull, "known"));
}

const mergeRequest = z.object({
  sha: z.string().optional(),
  merge_method: z.enum(["merge", "squash", "rebase"]).optional(),
  commit_title: z.string().optional(),
  commit_message: z.string().optional(),
});

/** 405 and 409: https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request */
async function merge(call: Call, repository: RepositoryState): Promise<Answer> {
  const pull = pullIn(call, repository);
  await mayChangeWorkflows(call, pull);
  const wish = bodyOf(call, "PullRequest", mergeRequest);
  const merged = await mergePullRequest(call.world, pull, {
    method: wish.merge_method ?? "merge",
    by: actor(call.world, call.caller),
    sha: wish.sha,
    title: wish.commit_title,
    message: wish.commit_message,
  });
  switch (merged.kind) {
    case "merged":
      return ok({ sha: merged.sha, merged: true, message: "Pull Request successfully merged" });
    case "head moved":
      throw new Refusal(409, "Head branch was modified. Review and try the merge again.");
    case "not mergeable":
      throw new Refusal(405, merged.why ?? "Pull Request is not mergeable");
  }
}

/** https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps: files of workflows take a permission of their own. */
async function mayChangeWorkflows(call: Call, { base, head }: PullRequest): Promise<void> {
  if (call.caller.kind !== "installation" || allows(call.caller.permissions, "workflows:write")) return;
  const { git } = base.repository;
  const files = await readDifferences(git, (await mergeBase(git, base.sha, head.sha)) ?? base.sha, head.sha);
  const workflow = files.find(({ path }) => path.startsWith(".github/workflows/"));
  if (workflow !== undefined)
    throw forbidden(
      `refusing to allow a GitHub App to create or update workflow \`${workflow.path}\` without \`workflows\` permission`,
    );
}
