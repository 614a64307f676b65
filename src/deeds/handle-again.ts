import type { Transaction } from "../database/connection.ts";
import { type Actor, type Answer, done, mayAct, refused, withoutPermission } from "./actor.ts";
import { record } from "./history.ts";

/**
 * Has a delivery handled once more, as GitHub's "Redeliver" button does: as another receipt of the same GUID, so that the same rules hold.
 * What is under way stays as it is, finished checks run again, and no deployment is repeated.
 */
export async function handleAgain(
  tx: Transaction,
  actor: Actor,
  { repository, receipt: id }: { readonly repository: number; readonly receipt: number },
): Promise<Answer> {
  if (!mayAct(actor)) return withoutPermission(actor);
  const receipt = await tx.db.selectFrom("receipt").selectAll().where("id", "=", id).executeTakeFirst();
  if (receipt === undefined || receipt.repository !== repository) return refused(`There is no delivery ${id}`);
  if (receipt.body === null) return refused("Nobody listens to this event, so its payload was not kept");
  if (receipt.state === "received") return refused("This delivery is still being handled");
  const { guid, event, action, installation, body } = receipt;
  const again = { guid, event, action, installation, repository, body, received_at: tx.now, state: "received" as const };
  await tx.db.insertInto("receipt").values(again).execute();
  tx.ring("receipts");
  await record(tx, actor, { deed: "handle again", repository, details: { receipt: id, guid, event } });
  return done(`${event} is handled once more`);
}
