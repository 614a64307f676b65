import type { Context } from "probot";
import type { Services } from "../../../services.ts";

/**
 * Somebody may do more or less from now on, with one repository or with many: who may what is asked anew, and pages that are open and may
 * not be seen any more end. Without these events (they need `members: read`) that takes up to five minutes.
 */
export async function rightsChanged(
  { name, payload: { action } }: Context<"member" | "membership" | "organization" | "team">,
  { database, log }: Services,
): Promise<void> {
  await database.write(async (tx) => tx.ring("rights"));
  log.info({ event: name, action }, "somebody's rights changed");
}
