import type { Installation } from "./github.ts";
import { GitHubProblem } from "./problem.ts";
import type { Repository } from "./repository.ts";

export interface NewDeployment {
  readonly sha: string;
  readonly task: string;
  readonly environment: string;
  readonly description: string;
  readonly production: boolean;
  /** It will go away again, with its environment. */
  readonly transient: boolean;
  readonly payload: { readonly signalbox: { readonly run: number } } & Readonly<Record<string, unknown>>;
}

/**
 * Creates a deployment. GitHub does not make this idempotent: after a failure ask `findDeployment` first.
 * `required_contexts: []` because the gate is ours; with GitHub's own it would refuse instead of waiting.
 * https://docs.github.com/en/rest/deployments/deployments#create-a-deployment
 */
export async function createDeployment(
  github: Installation,
  { owner, name }: Repository,
  deployment: NewDeployment,
): Promise<number> {
  const { data } = await github.request("POST /repos/{owner}/{repo}/deployments", {
    owner,
    repo: name,
    ref: deployment.sha,
    task: deployment.task,
    auto_merge: false,
    required_contexts: [],
    environment: deployment.environment,
    description: deployment.description,
    production_environment: deployment.production,
    transient_environment: deployment.transient,
    payload: deployment.payload,
  });
  // 202 means that GitHub merged instead of deploying, which `auto_merge: false` rules out.
  if (!("id" in data))
    throw new GitHubProblem(
      "unavailable",
      `GitHub made no deployment of ${deployment.sha} to ${deployment.environment}: ${data.message}`,
    );
  return Number(data.id);
}

/** GitHub's id of the deployment that was made for a run, if GitHub has it. */
export async function findDeployment(
  github: Installation,
  { owner, name }: Repository,
  { sha, environment, run }: { readonly sha: string; readonly environment: string; readonly run: number },
): Promise<number | null> {
  const { data } = await github.request("GET /repos/{owner}/{repo}/deployments", {
    owner,
    repo: name,
    sha,
    environment,
    per_page: 100,
  });
  const found = data.find((deployment) => runOfPayload(deployment.payload) === run);
  return found === undefined ? null : Number(found.id);
}

/** Our run's id in a deployment's payload; `null` when the payload is not ours (it may be anything that its creator sent). */
export function runOfPayload(payload: unknown): number | null {
  const value = typeof payload === "string" ? parsed(payload) : payload;
  if (typeof value !== "object" || value === null || !("signalbox" in value)) return null;
  const { signalbox } = value;
  if (typeof signalbox !== "object" || signalbox === null || !("run" in signalbox)) return null;
  return typeof signalbox.run === "number" && Number.isSafeInteger(signalbox.run) ? signalbox.run : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** https://docs.github.com/en/rest/deployments/statuses#create-a-deployment-status; the description has at most 140 characters. */
export interface DeploymentStatus {
  readonly state: "queued" | "in_progress" | "success" | "failure" | "error" | "inactive";
  readonly description: string;
  readonly log_url: string;
  readonly environment_url?: string;
}

/** Posts a deployment status. GitHub's own inactivation is off: it leaves production out, so we say "inactive" ourselves. */
export async function createDeploymentStatus(
  github: Installation,
  { owner, name }: Repository,
  deployment: number,
  status: DeploymentStatus,
): Promise<void> {
  await github.request("POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses", {
    owner,
    repo: name,
    deployment_id: deployment,
    auto_inactive: false,
    ...status,
  });
}

/** Deletes an environment, for which the App needs `administration: write`; one that is not there is deleted. https://docs.github.com/en/rest/deployments/environments#delete-an-environment */
export async function deleteEnvironment(github: Installation, { owner, name }: Repository, environment: string): Promise<void> {
  try {
    await github.request("DELETE /repos/{owner}/{repo}/environments/{environment_name}", {
      owner,
      repo: name,
      environment_name: environment,
    });
  } catch (error) {
    if (!(error instanceof GitHubProblem) || error.kind !== "missing") throw error;
  }
}
