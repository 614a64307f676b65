import type { Deployment, DeploymentStatus, RepositoryState } from "../repository-state.ts";
import type { World } from "../world.ts";
import { accountJson, nodeId } from "./account.ts";
import { appJson } from "./app.ts";
import { repositoryUrl } from "./repository.ts";

export function deploymentJson(world: World, repository: RepositoryState, deployment: Deployment): Record<string, unknown> {
  const url = `${repositoryUrl(world, repository)}/deployments/${deployment.id}`;
  return {
    url,
    id: deployment.id,
    node_id: nodeId("DE", deployment.id),
    sha: deployment.sha,
    ref: deployment.ref,
    task: deployment.task,
    payload: deployment.payload,
    original_environment: deployment.originalEnvironment,
    environment: deployment.environment,
    description: deployment.description,
    creator: accountJson(world, deployment.creator),
    created_at: deployment.createdAt.toISOString(),
    updated_at: deployment.updatedAt.toISOString(),
    statuses_url: `${url}/statuses`,
    repository_url: repositoryUrl(world, repository),
    transient_environment: deployment.transient,
    production_environment: deployment.production,
    performed_via_github_app: deployment.creator === world.app.bot ? appJson(world) : null,
  };
}

export function deploymentStatusJson(
  world: World,
  repository: RepositoryState,
  deployment: Deployment,
  status: DeploymentStatus,
): Record<string, unknown> {
  const url = `${repositoryUrl(world, repository)}/deployments/${deployment.id}`;
  return {
    url: `${url}/statuses/${status.id}`,
    id: status.id,
    node_id: nodeId("DES", status.id),
    state: status.state,
    creator: accountJson(world, status.creator),
    description: status.description,
    environment: status.environment,
    target_url: status.logUrl,
    created_at: status.createdAt.toISOString(),
    updated_at: status.createdAt.toISOString(),
    deployment_url: url,
    repository_url: repositoryUrl(world, repository),
    environment_url: status.environmentUrl,
    log_url: status.logUrl,
    performed_via_github_app: status.creator === world.app.bot ? appJson(world) : null,
  };
}
