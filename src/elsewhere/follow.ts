import type { Io } from "../process/io.ts";
import { nextPause, type Pace, pause } from "./pace.ts";
import { withPatience } from "./patience.ts";
import { say } from "./text.ts";

/** Something under way in another system, as long as we follow it. Its calls come one after the other. */
export interface Work<Handle, Ending> {
  /** Begins it. What has been sent is waited for, `stop` or not: what is started must be known. */
  start(stop: AbortSignal): Promise<Handle>;
  /** Looks how far it is; what is new of its log is written. `PassingTrouble` when the other system is in trouble. */
  look(handle: Handle, stop: AbortSignal): Promise<Look<Handle, Ending>>;
  /** Resolves when it works no more; what has ended already is fine. `stop` is the end of our patience. */
  cancel(handle: Handle, stop: AbortSignal): Promise<void>;
}

export interface Look<Handle, Ending> {
  readonly handle: Handle;
  /** Something has happened since the last look. */
  readonly news: boolean;
  /** `null` while it works. */
  readonly ending: Ending | null;
}

export interface Following<Handle> {
  /** As people call what is followed: "build". */
  readonly noun: string;
  /** What a server before us had begun; `null` to begin now. */
  readonly from: Handle | null;
  readonly io: Pick<Io, "write">;
  readonly pace: Pace;
  readonly stop: AbortSignal;
  /** Makes durable what finds it again; `null` when it works no more. */
  keep(handle: Handle | null): Promise<void>;
}

/**
 * Begins something elsewhere, or goes on with what was begun, and follows it to its end. When `stop` is aborted it is stopped there and the
 * reason thrown; but what we leave because the server stops goes on. Throws what `start` and `look` throw.
 */
export async function follow<Handle, Ending>(work: Work<Handle, Ending>, following: Following<Handle>): Promise<Ending> {
  const { noun, from, io, pace, stop, keep } = following;
  let known = from;
  try {
    stop.throwIfAborted();
    if (from !== null) await say(io, `Signalbox was restarted; it goes on following the ${noun}`);
    let at: Handle = from ?? (await withPatience(() => work.start(stop), pace, stop, io));
    known = at;
    if (from === null) await keep(at);
    for (let wait = pace.first; ; ) {
      const { handle: now, news, ending } = await withPatience(() => work.look(at, stop), pace, stop, io);
      if (now !== at) await keep(now);
      at = now;
      known = now;
      if (ending !== null) return ending;
      wait = nextPause(pace, wait, news);
      await pause(wait, stop);
    }
  } catch (error) {
    if (!stop.aborted) throw error;
    if (goesOnWithoutUs(stop.reason)) throw stop.reason;
    if (known !== null) await bidFarewell(work, known, following);
    // If it is wanted again after all, it has to begin anew.
    await keep(null);
    throw stop.reason;
  }
}

/** The reasons of `stop` with which only we leave: see `Io.stop`. */
function goesOnWithoutUs(reason: unknown): boolean {
  return reason === "shutdown" || reason === "lease lost";
}

async function bidFarewell<Handle, Ending>(work: Work<Handle, Ending>, handle: Handle, following: Following<Handle>) {
  const { noun, io, pace } = following;
  const stop = AbortSignal.timeout(pace.goodbye);
  try {
    await withPatience(() => work.cancel(handle, stop), pace, stop, io);
  } catch (error) {
    const why = stop.aborted ? "it took too long" : Error.isError(error) ? error.message : String(error);
    await say(io, `The ${noun} could not be stopped: ${why}. Stop it there`);
  }
}
