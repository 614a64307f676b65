import { z } from "zod";
import { addStatus, allStatuses, combinedState, newestStatuses, statusJson } from "../deeds/statuses.ts";
import { actor } from "../http/access.ts";
import { type Answer, created, page, Refusal } from "../http/answers.ts";
import { bodyOf } from "../http/body.ts";
import { type Call, parameter, type Route, repositoryRoute } from "../http/router.ts";
import { repositoryJson, repositoryUrl } from "../json/repository.ts";
import type { RepositoryState } from "../repository-state.ts";
import { requireCommit } from "./commits.ts";

/** https://docs.github.com/en/rest/commits/statuses */
export const statusRoutes: readonly Route[] = [
  repositoryRoute("POST", "/statuses/:sha", ["statuses:write"], post),
  repositoryRoute("GET", "/commits/:ref/statuses", ["statuses:read"], list),
  repositoryRoute("GET", "/statuses/:ref", ["statuses:read"], list),
  repositoryRoute("GET", "/commits/:ref/status", ["statuses:read"], async (call, repository) => {
    const { world } = call;
    const sha = await requireCommit(repository, parameter(call, "ref"));
    const statuses = newestStatuses(repository, sha);
    const url = `${repositoryUrl(world, repository)}/commits/${sha}`;
    const withoutCreators = statuses.map((status) => ({ ...statusJson(world, repository, status), creator: undefined }));
    const facts = { sha, repository: repositoryJson(world, repository), commit_url: url, url: `${url}/status` };
    return page(call.url, withoutCreators, (shown) => ({
      state: combinedState(statuses),
      statuses: shown,
      total_count: statuses.length,
      ...facts,
    }));
  }),
];

/** More are refused: https://docs.github.com/en/rest/commits/statuses#create-a-commit-status */
const MOST_PER_CONTEXT = 1000;

const newStatus = z.object({
  state: z.enum(["error", "failure", "pending", "success"], "state is not included in the list"),
  context: z.string().max(255, "context is too long (maximum is 255 characters)").optional(),
  description: z.string().max(140, "description is too long (maximum is 140 characters)").nullish(),
  target_url: z.union([z.literal(""), z.url({ protocol: /^https?$/ })], "target_url must use http(s) scheme").nullish(),
});

async function post(call: Call, repository: RepositoryState): Promise<Answer> {
  const wish = bodyOf(call, "Status", newStatus);
  const sha = parameter(call, "sha");
  if (!/^[0-9a-f]{40}$/.test(sha)) throw new Refusal(422, `No commit found for SHA: ${sha}`);
  await requireCommit(repository, sha);
  const context = wish.context ?? "default";
  const sameContext = allStatuses(repository, sha).filter((status) => status.context.toLowerCase() === context.toLowerCase());
  if (sameContext.length >= MOST_PER_CONTEXT) {
    throw new Refusal(422, "Validation Failed", {
      errors: [
        {
          resource: "Status",
          field: "base",
          code: "custom",
          message: "This SHA and context has reached the maximum number of statuses.",
        },
      ],
    });
  }
  const status = await addStatus(call.world, repository, {
    sha,
    context,
    state: wish.state,
    description: wish.description ?? null,
    targetUrl: wish.target_url || null,
    creator: actor(call.world, call.caller),
  });
  return created(statusJson(call.world, repository, status));
}

async function list(call: Call, repository: RepositoryState): Promise<Answer> {
  const statuses = allStatuses(repository, await requireCommit(repository, parameter(call, "ref")));
  return page(
    call.url,
    statuses.map((status) => statusJson(call.world, repository, status)),
  );
}
