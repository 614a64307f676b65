import { accountJson, organizationJson } from "../json/account.ts";
import { installationJson } from "../json/app.ts";
import { repositoryJson } from "../json/repository.ts";
import { fullName, type RepositoryState } from "../repository-state.ts";
import { type Account, type Installation, installationOf, type World } from "../world.ts";

/** Tells the App what happened in a repository, if it is installed there and subscribed to the event. */
export function announce(
  world: World,
  repository: RepositoryState,
  event: string,
  sender: Account,
  facts: Readonly<Record<string, unknown>>,
): void {
  const installation = installationOf(world, repository);
  if (!installation || !isHeard(world, repository, event)) return;
  const payload = {
    ...facts,
    repository: repositoryJson(world, repository),
    ...(repository.owner.type === "Organization" ? { organization: organizationJson(world, repository.owner) } : {}),
    sender: accountJson(world, sender),
    installation: { id: installation.id, node_id: nodeId(installation) },
  };
  world.hooks.send({
    event,
    action: typeof facts.action === "string" ? facts.action : null,
    installation: installation.id,
    repository: repository.id,
    payload: JSON.stringify(payload),
  });
}

/** Whether the App hears of such events there: spares making a payload that nobody gets. */
export function isHeard(world: World, repository: RepositoryState, event: string): boolean {
  return installationOf(world, repository) !== undefined && world.app.events.includes(event);
}

/** Every App hears of its installations, subscribed or not: https://docs.github.com/en/webhooks/webhook-events-and-payloads#installation */
export function announceInstallation(
  world: World,
  installation: Installation,
  action: "created" | "deleted" | "suspend" | "unsuspend" | "new_permissions_accepted",
  repositories: readonly RepositoryState[],
): void {
  sendAboutInstallation(world, installation, "installation", {
    action,
    installation: installationJson(world, installation),
    repositories: repositories.map(briefly),
    ...(action === "created" ? { requester: accountJson(world, world.app.owner) } : {}),
  });
}

/** Tells the App of one repository that its installation covers from now on, or no longer. */
export function announceCoverage(
  world: World,
  installation: Installation,
  change: { added?: RepositoryState; removed?: RepositoryState },
): void {
  sendAboutInstallation(world, installation, "installation_repositories", {
    action: change.added ? "added" : "removed",
    installation: installationJson(world, installation),
    repository_selection: "selected",
    repositories_added: change.added ? [briefly(change.added)] : [],
    repositories_removed: change.removed ? [briefly(change.removed)] : [],
    requester: null,
  });
}

function sendAboutInstallation(
  world: World,
  installation: Installation,
  event: string,
  facts: Readonly<Record<string, unknown>>,
): void {
  world.hooks.send({
    event,
    action: String(facts.action),
    installation: installation.id,
    repository: null,
    payload: JSON.stringify({ ...facts, sender: accountJson(world, installation.account) }),
  });
}

function briefly(repository: RepositoryState): object {
  return {
    id: repository.id,
    node_id: `R_${repository.id}`,
    name: repository.name,
    full_name: fullName(repository),
    private: repository.private,
  };
}

function nodeId(installation: Installation): string {
  return Buffer.from(`023:IntegrationInstallation${installation.id}`).toString("base64");
}
