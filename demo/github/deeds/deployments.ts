import { resolveCommit } from "../git/commits.ts";
import { deploymentJson, deploymentStatusJson } from "../json/deployment.ts";
import type { Deployment, DeploymentStatus, RepositoryState } from "../repository-state.ts";
import type { Account, World } from "../world.ts";
import { announce } from "./announce.ts";
import { mergeDefaultBranchInto } from "./deployment-merge.ts";
import { newestStatuses } from "./statuses.ts";

export interface NewDeployment {
  readonly ref: string;
  readonly creator: Account;
  readonly task?: string | undefined;
  readonly autoMerge?: boolean | undefined;
  /** All contexts of the commit when missing; none at all when empty. */
  readonly requiredContexts?: readonly string[] | undefined;
  readonly payload?: unknown;
  readonly environment?: string | undefined;
  readonly description?: string | null | undefined;
  readonly transient?: boolean | undefined;
  readonly production?: boolean | undefined;
}

/** What came of a wish: GitHub may merge, or refuse, instead of creating anything. */
export type Deployed =
  | { readonly kind: "created"; readonly deployment: Deployment }
  | { readonly kind: "merged instead" | "conflict" | "no ref"; readonly message: string };

/** Creates a deployment by GitHub's rules and fires `deployment`: https://docs.github.com/en/rest/deployments/deployments#create-a-deployment */
export async function createDeployment(world: World, repository: RepositoryState, wish: NewDeployment): Promise<Deployed> {
  const sha = await resolveCommit(repository.git, wish.ref);
  if (!sha) return { kind: "no ref", message: `No ref found for: ${wish.ref}` };
  if (wish.autoMerge ?? true) {
    const merge = await mergeDefaultBranchInto(world, repository, wish.ref, wish.creator);
    if (merge) return merge;
  }
  if (!requirementsMet(repository, sha, wish.requiredContexts)) {
    return { kind: "conflict", message: `Conflict: Commit status checks failed for ${wish.ref}.` };
  }
  const now = world.clock.now();
  const environment = wish.environment ?? "production";
  const deployment: Deployment = {
    id: world.id(),
    sha,
    ref: wish.ref,
    task: wish.task ?? "deploy",
    payload: wish.payload ?? "",
    environment,
    originalEnvironment: environment,
    description: wish.description ?? null,
    creator: wish.creator,
    transient: wish.transient ?? false,
    production: wish.production ?? environment === "production",
    createdAt: now,
    updatedAt: now,
    statuses: [],
  };
  repository.deployments.push(deployment);
  repository.environments.add(environment);
  const json = deploymentJson(world, repository, deployment);
  announce(world, repository, "deployment", wish.creator, {
    action: "created",
    deployment: json,
    workflow: null,
    workflow_run: null,
  });
  return { kind: "created", deployment };
}

export type NewDeploymentStatus = Omit<DeploymentStatus, "id" | "createdAt" | "environment"> & {
  /** Moves the deployment to another environment. */
  readonly environment?: string | undefined;
  readonly autoInactive: boolean;
};

/** Adds a status, fires `deployment_status`, and inactivates what GitHub's rule says. */
export function addDeploymentStatus(
  world: World,
  repository: RepositoryState,
  deployment: Deployment,
  wish: NewDeploymentStatus,
): DeploymentStatus {
  if (wish.environment !== undefined) deployment.environment = wish.environment;
  repository.environments.add(deployment.environment);
  const { autoInactive, ...facts } = wish;
  const status = append(world, deployment, facts);
  tell(world, repository, deployment, status);
  if (autoInactive && status.state === "success") inactivateEarlier(world, repository, deployment, status);
  return status;
}

/** Only earlier, successful, non-transient, non-production ones: https://docs.github.com/en/rest/deployments/statuses#create-a-deployment-status (`auto_inactive`) */
function inactivateEarlier(world: World, repository: RepositoryState, deployment: Deployment, by: DeploymentStatus): void {
  for (const earlier of repository.deployments) {
    if (earlier === deployment) break;
    const { creator, description, environmentUrl, logUrl } = by;
    const live = earlier.environment === deployment.environment && earlier.statuses.at(-1)?.state === "success";
    if (live && !earlier.transient && !earlier.production) {
      append(world, earlier, { state: "inactive", creator, description, environmentUrl, logUrl });
    }
  }
}

function append(
  world: World,
  deployment: Deployment,
  facts: Omit<DeploymentStatus, "id" | "createdAt" | "environment"> & { readonly environment?: string | undefined },
): DeploymentStatus {
  const createdAt = world.clock.now();
  const status: DeploymentStatus = { ...facts, environment: deployment.environment, id: world.id(), createdAt };
  deployment.statuses.push(status);
  deployment.updatedAt = createdAt;
  return status;
}

function tell(world: World, repository: RepositoryState, deployment: Deployment, status: DeploymentStatus): void {
  // "inactive" fires nothing: https://docs.github.com/en/webhooks/webhook-events-and-payloads#deployment_status
  if (status.state === "inactive") return;
  const { log_url, ...json } = deploymentStatusJson(world, repository, deployment, status);
  announce(world, repository, "deployment_status", status.creator, {
    action: "created",
    deployment_status: { ...json, ...(log_url ? { log_url } : {}) },
    deployment: deploymentJson(world, repository, deployment),
  });
}

function requirementsMet(repository: RepositoryState, sha: string, required: readonly string[] | undefined): boolean {
  const statuses = newestStatuses(repository, sha).map(({ context, state }) => ({ context, green: state === "success" }));
  const runs = repository.checkRuns
    .filter((run) => run.sha === sha)
    .map(({ name, conclusion }) => ({ context: name, green: ["success", "neutral", "skipped"].includes(conclusion ?? "") }));
  const all = [...statuses, ...runs];
  if (required === undefined) return all.every(({ green }) => green);
  return required.every((context) => all.some((one) => one.green && one.context.toLowerCase() === context.toLowerCase()));
}
