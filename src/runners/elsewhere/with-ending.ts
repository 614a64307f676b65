import type { CheckEnding } from "../runner.ts";
import type { Steps } from "./steps.ts";
import { FinalTrouble } from "./trouble.ts";

/** Runs a check elsewhere: what ends it on the way is its ending, and no step stays open. */
export async function withEnding(steps: Steps, work: (steps: Steps) => Promise<CheckEnding>): Promise<CheckEnding> {
  try {
    return await work(steps);
  } catch (error) {
    if (error instanceof FinalTrouble) return error.ending;
    throw error;
  } finally {
    await steps.end();
  }
}
