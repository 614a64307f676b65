import { z } from "zod";
import type { CheckEnding, CheckIo } from "../runner.ts";
import { timedOut } from "../timeout.ts";
import { nextPause, type Pace, pause } from "./pace.ts";
import { withPatience } from "./patience.ts";
import { say } from "./text.ts";

/** A build in another system, as long as we follow it. Its calls come one after the other. */
export interface Build<Handle> {
  /** What finds the build again after a restart; no secrets. */
  readonly handle: z.ZodType<Handle>;
  /** Asks for the build. What has been sent is waited for, `stop` or not: what is started must be known. */
  start(stop: AbortSignal): Promise<Handle>;
  /** Looks how far it is; what is new of its log is written. `PassingTrouble` when the other system is in trouble. */
  look(handle: Handle, stop: AbortSignal): Promise<Look<Handle>>;
  /** Resolves when it works no more; a build that has ended already is fine. `stop` is the end of our patience. */
  cancel(handle: Handle, stop: AbortSignal): Promise<void>;
}

export interface Look<Handle> {
  readonly handle: Handle;
  /** Something has happened since the last look. */
  readonly news: boolean;
  /** `null` while it works. */
  readonly ending: CheckEnding | null;
}

/**
 * Starts a build elsewhere, or finds again what was remembered, and follows it to its end. The check's time runs from the start, restarts of
 * ours included. A build that is cancelled or takes too long is stopped there; one that we leave because we stop goes on. Throws what
 * `start` and `look` throw.
 */
export async function follow<Handle>(build: Build<Handle>, timeout: number, io: CheckIo, pace: Pace): Promise<CheckEnding> {
  const before = rememberedSchema(build.handle).safeParse(io.remembered).data ?? null;
  const startedAt = before?.startedAt ?? Date.now();
  const clock = AbortSignal.timeout(Math.max(0, startedAt + timeout - Date.now()));
  const stop = AbortSignal.any([io.stop, clock]);
  let handle: Handle | null = before?.handle ?? null;
  const keep = async (now: Handle) => {
    handle = now;
    await io.remember({ startedAt, handle: now });
  };
  try {
    stop.throwIfAborted();
    if (handle !== null) await say(io, "Signalbox was restarted; it goes on following the build");
    let at: Handle = handle ?? (await withPatience(() => build.start(stop), pace, stop, io));
    if (handle === null) await keep(at);
    for (let wait = pace.first; ; ) {
      const { handle: now, news, ending } = await withPatience(() => build.look(at, stop), pace, stop, io);
      if (now !== at) await keep(now);
      at = now;
      if (ending !== null) return ending;
      wait = nextPause(pace, wait, news);
      await pause(wait, stop);
    }
  } catch (error) {
    if (!stop.aborted) throw error;
    if (io.stop.aborted && goesOnWithoutUs(io.stop.reason)) throw io.stop.reason;
    if (handle !== null) await bidFarewell(build, handle, pace, io);
    // If the check is wanted again after all, it needs a new build.
    await io.remember(null);
    if (io.stop.aborted) throw io.stop.reason;
    return timedOut(timeout);
  }
}

/** The reasons of `stop` with which only we leave: see `Io.stop`. */
function goesOnWithoutUs(reason: unknown): boolean {
  return reason === "shutdown" || reason === "lease lost";
}

async function bidFarewell<Handle>(build: Build<Handle>, handle: Handle, pace: Pace, io: CheckIo): Promise<void> {
  const stop = AbortSignal.timeout(pace.goodbye);
  try {
    await withPatience(() => build.cancel(handle, stop), pace, stop, io);
  } catch (error) {
    const why = stop.aborted ? "it took too long" : Error.isError(error) ? error.message : String(error);
    await say(io, `The build could not be stopped: ${why}. Stop it there`);
  }
}

function rememberedSchema<Handle>(handle: z.ZodType<Handle>) {
  return z.object({ startedAt: z.number(), handle });
}
