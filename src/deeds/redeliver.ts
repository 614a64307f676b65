import type { Database } from "../database/connection.ts";
import type { GitHub } from "../github/github.ts";
import { redeliver as askGitHub, findHookDelivery } from "../github/hook-deliveries.ts";
import { type Actor, done, mayAct, type PreparedDeed, refused, refuses, withoutPermission } from "./actor.ts";
import { record } from "./history.ts";

interface Means {
  readonly database: Database;
  readonly github: GitHub;
}

/**
 * Has GitHub deliver a webhook once more, as the button in the App's settings does, also one whose payload we did not keep. When it
 * arrives it is a receipt like any other. GitHub is asked before the history is written: asking twice does no harm, an entry about
 * nothing would.
 */
export async function redeliver(
  { database, github }: Means,
  actor: Actor,
  { repository, receipt: id }: { readonly repository: number; readonly receipt: number },
): Promise<PreparedDeed> {
  if (!mayAct(actor)) return refuses(withoutPermission(actor));
  const receipt = await database.read((db) =>
    db.selectFrom("receipt").select(["guid", "event", "repository", "received_at"]).where("id", "=", id).executeTakeFirst(),
  );
  if (receipt === undefined || receipt.repository !== repository) return refuses(refused(`There is no delivery ${id}`));
  const { guid, event, received_at: receivedAt } = receipt;
  const delivery = await findHookDelivery(github, { guid, receivedAt: new Date(receivedAt) });
  if (delivery === null) return refuses(refused("GitHub does not list this delivery any more, so it cannot deliver it again"));
  await askGitHub(github, delivery);
  return async (tx) => {
    await record(tx, actor, { deed: "redeliver", repository, details: { receipt: id, guid, event } });
    return done(`GitHub delivers ${event} once more: it appears here when it arrives`);
  };
}
