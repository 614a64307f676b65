import { z } from "zod";
import { follow as followElsewhere, type Look as LookElsewhere, type Work } from "../../elsewhere/follow.ts";
import type { Pace } from "../../elsewhere/pace.ts";
import type { CheckEnding, CheckIo } from "../runner.ts";
import { timedOut } from "../timeout.ts";

/** A build in another system. */
export interface Build<Handle> extends Work<Handle, CheckEnding> {
  /** What finds the build again after a restart; no secrets. */
  readonly handle: z.ZodType<Handle>;
}

export type Look<Handle> = LookElsewhere<Handle, CheckEnding>;

/**
 * Starts a build elsewhere, or finds again what was remembered, and follows it to its end. The check's time runs from the start, restarts of
 * ours included. A build that is cancelled or takes too long is stopped there; one that we leave because we stop goes on.
 */
export async function follow<Handle>(build: Build<Handle>, timeout: number, io: CheckIo, pace: Pace): Promise<CheckEnding> {
  const before = rememberedSchema(build.handle).safeParse(io.remembered).data ?? null;
  const startedAt = before?.startedAt ?? Date.now();
  const stop = AbortSignal.any([io.stop, AbortSignal.timeout(Math.max(0, startedAt + timeout - Date.now()))]);
  const keep = (handle: Handle | null) => io.remember(handle === null ? null : { startedAt, handle });
  try {
    return await followElsewhere(build, { noun: "build", from: before?.handle ?? null, io, pace, stop, keep });
  } catch (error) {
    if (!stop.aborted) throw error;
    if (io.stop.aborted) throw io.stop.reason;
    return timedOut(timeout);
  }
}

function rememberedSchema<Handle>(handle: z.ZodType<Handle>) {
  return z.object({ startedAt: z.number(), handle });
}
