import { errored } from "../../elsewhere/trouble.ts";
import type { CheckOrder } from "../runner.ts";

/** A secret without which the check cannot be started. */
export async function neededSecret(order: CheckOrder, name: string): Promise<string> {
  const value = await order.secret(name);
  if (value !== null && value !== "") return value;
  const { owner, name: repository } = order.commit;
  throw errored(`the secret "${name}" is not set`, `Set it: signalbox secret set ${owner}/${repository} ${name}`);
}
