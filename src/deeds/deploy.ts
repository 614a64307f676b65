import type { AskingMeans } from "../deployments/means.ts";
import { type DeploymentOrder, prepareDeployment } from "../deployments/request.ts";
import { short } from "../runs/sentences.ts";
import { type Actor, done, isMaintainer, mayAct, type PreparedDeed, refused, refuses, withoutPermission } from "./actor.ts";
import { record } from "./history.ts";

export interface Deploy extends Omit<DeploymentOrder, "by"> {
  /** Why; an override has its own. */
  readonly reason?: string;
}

/**
 * Prepares a deployment that a person asks for: of the branch's head, or of the commit that is named. It passes through the gates like any
 * other; with a reason to break the glass a maintainer passes approval, freeze and checks.
 */
export async function deploy(means: AskingMeans, actor: Actor, order: Deploy): Promise<PreparedDeed> {
  if (!mayAct(actor)) return refuses(withoutPermission(actor));
  if (order.override !== undefined && !isMaintainer(actor))
    return refuses(refused(`${actor.login} is no maintainer: only maintainers break the glass`));
  const prepared = await prepareDeployment(means, { ...order, by: actor.login });
  if (prepared.kind === "refused") return refuses(refused(prepared.sentence));
  const reason = order.override?.reason ?? order.reason;
  return async (tx) => {
    const started = await prepared.start(tx);
    if (started.kind === "refused") return refused(started.sentence);
    await record(tx, actor, {
      deed: order.override === undefined ? "deploy" : "break glass",
      repository: order.repository.id,
      environment: order.environment,
      run: started.run,
      ...(reason === undefined ? {} : { reason }),
      details: { sha: started.sha },
    });
    return done(`${short(started.sha)} is on its way to ${order.environment}`);
  };
}
