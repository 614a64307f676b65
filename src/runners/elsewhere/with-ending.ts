import { FinalTrouble } from "../../elsewhere/trouble.ts";
import type { CheckEnding } from "../runner.ts";
import type { Steps } from "./steps.ts";

/** Runs a check elsewhere: what ends it on the way is its ending, and no step stays open. */
export async function withEnding(steps: Steps, work: (steps: Steps) => Promise<CheckEnding>): Promise<CheckEnding> {
  try {
    return await work(steps);
  } catch (error) {
    if (error instanceof FinalTrouble) return error.verdict;
    throw error;
  } finally {
    await steps.end();
  }
}
