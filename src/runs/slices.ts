import { setTimeout as delay } from "node:timers/promises";

/** Lets others have the database between two transactions of something long. */
export async function rest(): Promise<void> {
  await delay(5);
}
