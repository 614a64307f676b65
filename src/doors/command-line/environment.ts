import { type Actor, type Answer, type PreparedDeed, refused, refuses } from "../../deeds/actor.ts";
import { approveEnvironment } from "../../deeds/approve-environment.ts";
import { cancelDeployments } from "../../deeds/cancel-deployments.ts";
import { deploy } from "../../deeds/deploy.ts";
import { type EnvironmentOrder, lock, unlock } from "../../deeds/lock.ts";
import { rollBack } from "../../deeds/roll-back.ts";
import type { AskingMeans } from "../../deployments/means.ts";
import { actorFor, askingBeside } from "./asking.ts";
import type { Beside } from "./beside-server.ts";
import type { EnvironmentCommand, EnvironmentPlace } from "./environment-words.ts";

/** Deeds of the command line are numbered nowhere; the history tells of them. */
const cause = { kind: "deed" as const, id: 0 };

/**
 * The deeds of comments and pages, typed at the server: one transaction each, with their history. A running server sees within a few seconds
 * what was changed; without one it waits for the next start. Gives the sentence that says what was done; rejects with the one why not.
 */
export async function onEnvironment(
  beside: Beside,
  command: EnvironmentCommand,
  { fullName, environment, as }: EnvironmentPlace & { readonly as: string | undefined },
): Promise<string> {
  const repository = await beside.find(fullName);
  const means = await askingBeside(beside);
  const actor = await actorFor(means, repository, as);
  const deed = await prepare(means, actor, command, { repository, environment });
  const answer: Answer = await beside.database.write(deed);
  if (answer.kind === "refused") throw new Error(answer.why);
  return `${answer.said} (a running server sees it within a few seconds)`;
}

async function prepare(
  means: AskingMeans,
  actor: Actor,
  command: EnvironmentCommand,
  order: EnvironmentOrder,
): Promise<PreparedDeed> {
  switch (command.kind) {
    case "deploy": {
      const sha = command.sha === null ? {} : { sha: command.sha };
      const override = command.override === null ? {} : { override: { reason: command.override } };
      return deploy(means, actor, { ...order, cause, ...sha, ...override });
    }
    case "rollback": {
      const reason = command.reason ?? `rolled back by ${actor.login}`;
      return rollBack(means, actor, { ...order, cause, reason, ...(command.to === null ? {} : { to: command.to }) });
    }
    case "lock":
      return lock(means, actor, { ...order, reason: command.reason });
    case "unlock":
      return unlock(actor, order);
    case "approve":
      if (actor.role === "operator")
        return refuses(refused("an approval is a person's yes: say whose, with --as LOGIN; GitHub is asked what they may do"));
      return approveEnvironment(means, actor, { ...order, sha: command.sha });
    case "cancel":
      return (tx) => cancelDeployments(tx, actor, { ...order, ...(command.reason === null ? {} : { reason: command.reason }) });
  }
}
