import { z } from "zod";
import { addDeploymentStatus, createDeployment } from "../deeds/deployments.ts";
import { actor } from "../http/access.ts";
import { type Answer, created, notFound, ok, page, Refusal } from "../http/answers.ts";
import { bodyOf } from "../http/body.ts";
import { type Call, numberIn, parameter, type Route, repositoryRoute } from "../http/router.ts";
import { deploymentJson, deploymentStatusJson } from "../json/deployment.ts";
import type { Deployment, RepositoryState } from "../repository-state.ts";

/** https://docs.github.com/en/rest/deployments/deployments and https://docs.github.com/en/rest/deployments/statuses */
export const deploymentRoutes: readonly Route[] = [
  repositoryRoute("GET", "/deployments", ["deployments:read"], list),
  repositoryRoute("POST", "/deployments", ["deployments:write"], create),
  repositoryRoute("GET", "/deployments/:id", ["deployments:read"], (call, repository) =>
    ok(deploymentJson(call.world, repository, deploymentIn(call, repository))),
  ),
  repositoryRoute("DELETE", "/deployments/:id", ["deployments:write"], remove),
  repositoryRoute("GET", "/deployments/:id/statuses", ["deployments:read"], (call, repository) => {
    const deployment = deploymentIn(call, repository);
    const newestFirst = deployment.statuses.toReversed();
    return page(
      call.url,
      newestFirst.map((status) => deploymentStatusJson(call.world, repository, deployment, status)),
    );
  }),
  repositoryRoute("POST", "/deployments/:id/statuses", ["deployments:write"], addStatus),
  // https://docs.github.com/en/rest/deployments/environments#delete-an-environment: its deployments stay.
  repositoryRoute("DELETE", "/environments/:name", ["administration:write"], (call, repository) => {
    if (!repository.environments.delete(parameter(call, "name"))) throw notFound();
    return { status: 204 };
  }),
];

function list({ world, url }: Call, repository: RepositoryState): Answer {
  const wanted = (name: string) => url.searchParams.get(name) ?? "none";
  const fits = (name: string, value: string) => wanted(name) === "none" || wanted(name) === value;
  const found = repository.deployments.filter(
    ({ sha, ref, task, environment }) =>
      fits("sha", sha) && fits("ref", ref) && fits("task", task) && fits("environment", environment),
  );
  return page(
    url,
    found.toReversed().map((deployment) => deploymentJson(world, repository, deployment)),
  );
}

const newDeployment = z.object({
  ref: z.string(),
  task: z.string().optional(),
  auto_merge: z.boolean().optional(),
  required_contexts: z.array(z.string()).nullish(),
  payload: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  environment: z.string().optional(),
  description: z.string().nullish(),
  transient_environment: z.boolean().optional(),
  production_environment: z.boolean().optional(),
});

async function create(call: Call, repository: RepositoryState): Promise<Answer> {
  const wish = bodyOf(call, "Deployment", newDeployment);
  const result = await createDeployment(call.world, repository, {
    ref: wish.ref,
    creator: actor(call.world, call.caller),
    task: wish.task,
    autoMerge: wish.auto_merge,
    requiredContexts: wish.required_contexts ?? undefined,
    payload: wish.payload,
    environment: wish.environment,
    description: wish.description,
    transient: wish.transient_environment,
    production: wish.production_environment,
  });
  switch (result.kind) {
    case "created":
      return created(deploymentJson(call.world, repository, result.deployment));
    case "merged instead":
      return { status: 202, body: { message: result.message } };
    case "conflict":
      throw new Refusal(409, result.message);
    case "no ref":
      throw new Refusal(422, result.message);
  }
}

/** A sole deployment may always be deleted, any other only once its last status is not `success`: https://docs.github.com/en/rest/deployments/deployments#delete-a-deployment */
function remove(call: Call, repository: RepositoryState): Answer {
  const deployment = deploymentIn(call, repository);
  const last = deployment.statuses.at(-1)?.state ?? "success";
  if (last === "success" && repository.deployments.length > 1)
    throw new Refusal(422, "We cannot delete an active deployment unless it is the only deployment in a given environment.");
  repository.deployments.splice(repository.deployments.indexOf(deployment), 1);
  return { status: 204 };
}

const url = z.union([z.literal(""), z.url({ protocol: /^https?$/ })], "must use http(s) scheme");

const newDeploymentStatus = z.object({
  state: z.enum(
    ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"],
    "state is not included in the list",
  ),
  description: z.string().max(140, "description is too long (maximum is 140 characters)").optional(),
  environment: z.string().optional(),
  environment_url: url.optional(),
  log_url: url.optional(),
  target_url: url.optional(),
  auto_inactive: z.boolean().optional(),
});

function addStatus(call: Call, repository: RepositoryState): Answer {
  const deployment = deploymentIn(call, repository);
  const wish = bodyOf(call, "DeploymentStatus", newDeploymentStatus);
  const status = addDeploymentStatus(call.world, repository, deployment, {
    state: wish.state,
    creator: actor(call.world, call.caller),
    description: wish.description ?? "",
    environment: wish.environment,
    environmentUrl: wish.environment_url ?? "",
    logUrl: wish.log_url ?? wish.target_url ?? "",
    autoInactive: wish.auto_inactive ?? true,
  });
  return created(deploymentStatusJson(call.world, repository, deployment, status));
}

function deploymentIn(call: Call, repository: RepositoryState): Deployment {
  const id = numberIn(call, "id");
  const deployment = repository.deployments.find((one) => one.id === id);
  if (!deployment) throw notFound();
  return deployment;
}
