import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { Database } from "../../database/connection.ts";
import { type Claimed, claim, extendLeases, releaseLeasesOfTheDead, type Settlement, settle } from "./claiming.ts";
import { explain, isRetryable, mostAttempts, waitBefore } from "./retry.ts";

/** What Probot's `receive` takes; `id` is the receipt's own, because a GUID may arrive again. */
export interface InboxEvent {
  readonly id: string;
  readonly name: string;
  readonly payload: object;
}

export interface InboxOptions {
  readonly database: Database;
  /**
   * Handles one event, at least once. A rejection with a true `retryable` somewhere in it makes the receipt, and with it the later ones of
   * its repository, wait and be tried again for about an hour; any other rejection is a bug and is tried three times.
   */
  readonly receive: (event: InboxEvent) => Promise<void>;
  readonly log: Logger;
  /** Told of each attempt to handle a receipt, when it is over; `problem` is `null` when it went well. */
  readonly onAttempt?: (attempt: HandlingAttempt) => void;
  /** How many repositories at once. */
  readonly parallel?: number;
  /** Milliseconds between looks when nothing rings. */
  readonly lookEvery?: number;
}

export interface HandlingAttempt {
  readonly receipt: number;
  readonly guid: string;
  readonly event: string;
  readonly receivedAt: Date;
  readonly startedAt: Date;
  readonly attempt: number;
  /** Whether it was the last one, because it went well or was one too many. */
  readonly isLast: boolean;
  readonly problem: string | null;
}

export interface Inbox {
  /** Resolves when nothing is left to handle now; receipts that wait to be tried again are not waited for. */
  idle(): Promise<void>;
  /** Takes nothing new; resolves when what is in flight is done, or when the deadline passes: then it is handled again after the next start. */
  stop(deadline?: AbortSignal): Promise<void>;
}

/**
 * Hands receipts to `receive`: those of one repository (or installation) in the order of their arrival and one at a time, also when several
 * replicas run, those of different ones in parallel. It goes on where the last process stopped.
 */
export function startInbox({ database, receive, log, onAttempt, parallel = 8, lookEvery = 5_000 }: InboxOptions): Inbox {
  const owner = randomUUID();
  const inFlight = new Set<number>();
  const done: Settlement[] = [];
  const idlers: (() => void)[] = [];
  const stopped = Promise.withResolvers<void>();
  let [state, pumping, again]: ["open" | "stopping" | "stopped", boolean, boolean] = ["open", false, false];

  const unlisten = database.wake.on("receipts", pump);
  const look = setInterval(pump, lookEvery);
  const beat = setInterval(() => {
    if (inFlight.size === 0) return;
    database.write((tx) => extendLeases(tx, owner)).catch((err) => log.warn({ err }, "leases of webhooks not extended"));
  }, 5_000);
  let cleared = database.engine === "postgres";
  pump();

  function pump(): void {
    again = true;
    if (pumping || state === "stopped") return;
    void pumpAll();
  }

  /** The only writer: one transaction after the other stores what is done and takes what comes next. */
  async function pumpAll(): Promise<void> {
    pumping = true;
    while (again) {
      again = false;
      const settlements = done.splice(0);
      try {
        if (!cleared) await database.write(releaseLeasesOfTheDead);
        cleared = true;
        const free = state === "open" ? parallel - inFlight.size + settlements.length : 0;
        const claimed = settlements.length > 0 || free > 0 ? await database.write((tx) => turn(tx, settlements, free)) : [];
        for (const { receipt } of settlements) inFlight.delete(receipt);
        for (const receipt of claimed) inFlight.add(receipt.id);
        for (const receipt of claimed) void handle(receipt);
      } catch (err) {
        log.error({ err }, "the inbox cannot use its database");
        done.unshift(...settlements);
        setTimeout(pump, 1_000);
        pumping = false;
        return;
      }
    }
    pumping = false;
    if (inFlight.size > 0) return;
    for (const resolve of idlers.splice(0)) resolve();
    if (state === "stopping") stopped.resolve();
  }

  async function turn(tx: Parameters<typeof claim>[0], settlements: readonly Settlement[], free: number): Promise<Claimed[]> {
    for (const settlement of settlements) await settle(tx, owner, settlement);
    return free > 0 ? claim(tx, owner, free) : [];
  }

  async function handle(receipt: Claimed): Promise<void> {
    const startedAt = new Date();
    const settlement = await outcomeOf(receipt);
    const { id, guid, event, attempts: attempt } = receipt;
    const receivedAt = new Date(receipt.received_at);
    const isLast = settlement.state !== "received";
    onAttempt?.({ receipt: id, guid, event, receivedAt, startedAt, attempt, isLast, problem: settlement.error });
    done.push(settlement);
    pump();
    if (settlement.state === "received") setTimeout(pump, settlement.wait).unref();
  }

  async function outcomeOf({ id, guid, event, body, attempts }: Claimed): Promise<Settlement> {
    const facts = { receipt: id, delivery: guid, event, attempt: attempts };
    // Attempts are counted when they begin, so a receipt that brings the server down each time comes to an end too.
    if (attempts > mostAttempts) {
      log.error(facts, "webhook given up: the server ended each time while handling it");
      return { receipt: id, state: "failed", error: "The server ended each time while handling it" };
    }
    try {
      await receive({ id: String(id), name: event, payload: JSON.parse(body) });
      log.info(facts, "webhook handled");
      return { receipt: id, state: "handled", error: null };
    } catch (err) {
      const wait = waitBefore(attempts + 1, isRetryable(err));
      if (wait === null) log.error({ ...facts, err }, "webhook given up");
      else log.warn({ ...facts, err, wait }, "webhook not handled; it is tried again");
      return wait === null
        ? { receipt: id, state: "failed", error: explain(err) }
        : { receipt: id, state: "received", error: explain(err), wait };
    }
  }

  return {
    idle: () =>
      new Promise((resolve) => {
        idlers.push(resolve);
        pump();
      }),
    async stop(deadline = AbortSignal.timeout(10_000)) {
      if (state === "open") state = "stopping";
      unlisten();
      clearInterval(look);
      deadline.addEventListener("abort", () => stopped.resolve(), { once: true });
      if (deadline.aborted) stopped.resolve();
      pump();
      await stopped.promise;
      state = "stopped";
      clearInterval(beat);
    },
  };
}
