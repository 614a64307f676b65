import { findWantedApproval, approveEnvironment as keepApproval } from "../deployments/approvals.ts";
import type { AskingMeans } from "../deployments/means.ts";
import { teamsOf } from "../github/people.ts";
import { short } from "../runs/sentences.ts";
import { type Actor, done, mayAct, type PreparedDeed, refused, refuses, withoutPermission } from "./actor.ts";
import { record } from "./history.ts";
import type { EnvironmentOrder } from "./lock.ts";

/** Prepares a person's yes to one commit for one environment. Never the author's, a pusher's or the requester's, and only of whom the rules name. */
export async function approveEnvironment(
  means: AskingMeans,
  actor: Actor,
  { repository, environment, sha }: EnvironmentOrder & { readonly sha: string },
): Promise<PreparedDeed> {
  if (!mayAct(actor)) return refuses(withoutPermission(actor));
  const order = { repository: repository.id, environment, sha };
  const wanted = await means.database.read((db) => findWantedApproval(db, order));
  if (wanted.kind === "refused") return refuses(refused(wanted.sentence));
  const teams = await teamsOf(means.github.as(repository.installation), repository.owner, actor.login, wanted.approvals.teams);
  return async (tx) => {
    const approved = await keepApproval(tx, { ...order, by: { id: actor.id, login: actor.login, teams } });
    if (approved.kind === "refused") return refused(approved.sentence);
    const details = { sha: approved.sha };
    await record(tx, actor, { deed: "approve environment", repository: repository.id, environment, run: approved.run, details });
    return done(`${short(approved.sha)} is approved for ${environment}`);
  };
}
