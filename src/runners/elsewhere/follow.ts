import { z } from "zod";
import { follow as followElsewhere, type Look as LookElsewhere, type Work } from "../../elsewhere/follow.ts";
import type { Pace } from "../../elsewhere/pace.ts";
import type { CheckEnding, CheckIo, CheckOrder } from "../runner.ts";
import { timedOut } from "../timeout.ts";

/** A build in another system. */
export interface Build<Handle> extends Omit<Work<Handle, CheckEnding>, "start"> {
  /** What finds the build again after a restart; no secrets. */
  readonly handle: z.ZodType<Handle>;
  /** Asks for a build and has the other system keep the ticket with it. What has been sent is waited for, `stop` or not. */
  start(ticket: string, stop: AbortSignal): Promise<Handle>;
  /**
   * Looks for the build that was asked for with this ticket, when nobody knows whether the other system took it: the server died meanwhile, or the
   * answer got lost. `null` when it has none, as far as can be told.
   */
  find(ticket: string, stop: AbortSignal): Promise<Handle | null>;
}

export type Look<Handle> = LookElsewhere<Handle, CheckEnding>;

/** The wish for a build, durable before anybody is asked for it, and the build once it is known. */
interface Wish<Handle> {
  readonly ticket: string;
  readonly handle: Handle | null;
}

/**
 * Starts a build elsewhere, or finds again what was remembered, and follows it to its end. The check's time runs from the start, restarts of
 * ours included. A build that is cancelled or takes too long is stopped there; one that we leave because we stop goes on.
 */
export async function follow<Handle>(build: Build<Handle>, order: CheckOrder, io: CheckIo, pace: Pace): Promise<CheckEnding> {
  const before = rememberedSchema(build.handle).safeParse(io.remembered).data ?? null;
  const startedAt = before?.startedAt ?? Date.now();
  const stop = AbortSignal.any([io.stop, AbortSignal.timeout(Math.max(0, startedAt + order.timeout - Date.now()))]);
  const keep = (wish: Wish<Handle> | null) => io.remember(wish === null ? null : { startedAt, ...wish });
  try {
    const work = wishedFor(build, ticketOf(order), before !== null, keep);
    return await followElsewhere(work, { noun: "build", from: before, io, pace, stop, keep });
  } catch (error) {
    if (!stop.aborted) throw error;
    if (io.stop.aborted) throw io.stop.reason;
    return timedOut(order.timeout);
  }
}

/** Asks for a build, but not without having looked for one where somebody may have asked before; `asked`: a server before us may have. */
function wishedFor<Handle>(
  build: Build<Handle>,
  ticket: string,
  asked: boolean,
  keep: (wish: Wish<Handle>) => Promise<void>,
): Work<Wish<Handle>, CheckEnding> {
  let mayBeThere = asked;
  let known: Handle | null = null;
  const found = async (wish: Wish<Handle>, stop: AbortSignal) =>
    wish.handle ?? known ?? (mayBeThere ? await build.find(wish.ticket, stop) : null);

  async function begun(wish: Wish<Handle>, stop: AbortSignal): Promise<Handle> {
    const there = await found(wish, stop);
    mayBeThere = true;
    known = there ?? (await build.start(wish.ticket, stop));
    if (wish.handle === null) await keep({ ...wish, handle: known });
    return known;
  }

  return {
    start: async () => ({ ticket, handle: null }),
    async look(wish, stop) {
      const at = await begun(wish, stop);
      const { handle, news, ending } = await build.look(at, stop);
      known = handle;
      return { handle: handle === wish.handle ? wish : { ...wish, handle }, news, ending };
    },
    async cancel(wish, stop) {
      const handle = await found(wish, stop);
      if (handle !== null) await build.cancel(handle, stop);
    },
  };
}

/** Names one attempt among all of all servers, and leads people to it. */
function ticketOf({ link, attempt }: CheckOrder): string {
  return `${link}?attempt=${attempt}`;
}

function rememberedSchema<Handle>(handle: z.ZodType<Handle>) {
  return z.object({ startedAt: z.number(), ticket: z.string(), handle: handle.nullable() });
}
