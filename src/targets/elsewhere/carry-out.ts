import { follow, type Work } from "../../elsewhere/follow.ts";
import { type Pace, usualPace } from "../../elsewhere/pace.ts";
import { FinalTrouble } from "../../elsewhere/trouble.ts";
import type { Io } from "../../process/io.ts";
import { type Deployed, type DeployOrder, OperatorProblem } from "../target.ts";

/**
 * Carries out a deployment in another service, or goes on with the one that `from` finds: alone, remembered at each step, and stopped there
 * when it is not wanted any more.
 */
export function carryOut<Handle>(
  work: Work<Handle, Deployed>,
  from: Handle | null,
  order: DeployOrder,
  io: Io,
  pace: Pace,
): Promise<Deployed> {
  // What is under way and not wanted any more must still be stopped there, so the lock is waited for all the same.
  const stop = from !== null && io.stop.aborted ? new AbortController().signal : io.stop;
  const keep = (handle: Handle | null) => io.remember(handle);
  return order.alone({ write: io.write, stop }, () =>
    withVerdict(() => follow(work, { noun: "deployment", from, io, pace, stop: io.stop, keep })),
  );
}

/** As targets end: what is the author's is refused, before anything has changed; what is the operator's is thrown. */
export async function withVerdict<Result>(work: () => Promise<Result>): Promise<Result | Deployed> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FinalTrouble)) throw error;
    const { verdict } = error;
    if (verdict.kind === "failed") return { kind: "refused", reason: verdict.what, live: "unchanged" };
    throw new OperatorProblem(verdict.what, verdict.fix ?? "Look there what is live, then deploy again", { cause: error });
  }
}

/**
 * Until the deployment's own time is over, a service may be in trouble: what was begun there may go well without us. What is stopped there
 * has time to end, since we must not leave before it has.
 */
export const deploymentPace: Pace = { ...usualPace, patience: Number.POSITIVE_INFINITY, goodbye: 600_000 };

/** Thrown where something must be made and there is no checkout to make it of: nothing has been begun at the service. */
export class NothingBegun extends Error {}

/** `null` for what was not begun, as `resume` says it. */
export async function unlessNothingBegun(work: () => Promise<Deployed>): Promise<Deployed | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NothingBegun) return null;
    throw error;
  }
}
