import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { Database } from "../../database/connection.ts";
import type { GitHub } from "../../github/github.ts";
import { listHookDeliveries, redeliver } from "../../github/hook-deliveries.ts";
import { GitHubProblem } from "../../github/problem.ts";
import { endTurn, forgetMissed, keepMissed, keepTurn, missing, noteAsked, noteRefused, takeTurn } from "./missed.ts";

export interface RecoveryOptions {
  readonly database: Database;
  readonly github: GitHub;
  /** How long GitHub remembers what it delivered, in milliseconds. */
  readonly window: number;
  /** Called once, after the first look: what deliveries alone cannot tell. Its failure is said and changes nothing. */
  readonly catchUp: (stop: AbortSignal) => Promise<void>;
  readonly log: Logger;
  /** Milliseconds between two wishes for a redelivery. */
  readonly spacing?: number;
}

export interface Recovery {
  /** Resolves when no look is under way. */
  settled(): Promise<void>;
  /** Resolves when nothing is under way; the rest is looked for after the next start. */
  stop(): Promise<void>;
}

/** GitHub.com remembers deliveries for 3 days, an enterprise server for 7: https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks */
export const windows = { gitHub: 3 * 86_400_000, enterpriseServer: 7 * 86_400_000 };

const every = 5 * 60_000;
const checkEvery = 30_000;
/** What is younger may still be on its way, or on its way to the disk. */
const grace = 60_000;
/** A delivery may be listed a while after it began. */
const overlap = 10 * 60_000;
const mostAtOnce = 100;

/**
 * Compares at start, and every five minutes, what GitHub says it delivered with what arrived, whatever status GitHub shows (a tunnel answers 200
 * for what never came through), and asks for the missing again. Of several replicas one does it at a time.
 */
export function startRecovery(options: RecoveryOptions): Recovery {
  const { database, log } = options;
  const owner = randomUUID();
  const stop = new AbortController();
  let isFirst = true;
  let saidProblem: string | null = null;
  let looking: Promise<void> | null = null;

  function look(): void {
    looking ??= lookIfDue().finally(() => {
      looking = null;
    });
  }

  async function lookIfDue(): Promise<void> {
    const least = isFirst ? (database.engine === "sqlite" ? 0 : grace / 2) : every;
    try {
      const turn = await database.write((tx) => takeTurn(tx, owner, least));
      if (turn === null) return;
      await recover(turn.comparedUntil);
      if (saidProblem !== null) log.info("GitHub tells again what it delivered");
      saidProblem = null;
    } catch (error) {
      return failed(error);
    }
    if (isFirst) await options.catchUp(stop.signal).catch((error) => log.error({ err: error }, "could not catch up with GitHub"));
    isFirst = false;
  }

  async function recover(comparedUntil: number | null): Promise<void> {
    const compared = await compare(comparedUntil);
    await askForMissing(compared.since);
    await database.write((tx) => endTurn(tx, owner, { comparedUntil: compared.until }));
  }

  /** From the newest page to the oldest that was not compared before. */
  async function compare(comparedUntil: number | null): Promise<{ readonly until: number; readonly since: number }> {
    let cursor: string | null = null;
    let now: number | null = null;
    let found = 0;
    for (;;) {
      const page = await listHookDeliveries(options.github, cursor);
      now ??= page.askedAt.getTime();
      const since = now - options.window;
      const until = Math.max(since, (comparedUntil ?? 0) - overlap);
      const settled = page.deliveries.filter(({ deliveredAt }) => between(deliveredAt.getTime(), until, now ?? 0));
      found += (await database.write((tx) => keepMissed(tx, settled))).length;
      const oldest = page.deliveries.at(-1);
      if (page.next === null || page.next === cursor || oldest === undefined || oldest.deliveredAt.getTime() < until) {
        if (found > 0) log.warn({ missed: found }, "GitHub delivered webhooks that never arrived; it is asked for them again");
        await database.write((tx) => forgetMissed(tx, since));
        return { until: now - grace, since };
      }
      cursor = page.next;
      await holdOn();
    }
  }

  /** The oldest first, as they happened. What one round leaves is for the next. */
  async function askForMissing(since: number): Promise<void> {
    const deliveries = await database.write((tx) => missing(tx, since, mostAtOnce));
    for (const [index, { guid, delivery, event, action }] of deliveries.entries()) {
      if (index > 0) await delay(options.spacing ?? 1_000, undefined, { signal: stop.signal });
      await holdOn();
      const facts = { delivery: guid, event, action };
      try {
        await redeliver(options.github, delivery);
        await database.write((tx) => noteAsked(tx, guid));
        log.info(facts, "asked GitHub for a webhook that never arrived");
      } catch (error) {
        if (!(error instanceof GitHubProblem) || error.retryable) throw error;
        await database.write((tx) => noteRefused(tx, guid, error.message));
        log.error({ ...facts, err: error }, "GitHub does not deliver a webhook again that never arrived");
      }
    }
  }

  async function holdOn(): Promise<void> {
    stop.signal.throwIfAborted();
    if (!(await database.write((tx) => keepTurn(tx, owner)))) throw new Error("another replica looks for missed webhooks by now");
  }

  /** Said once, until it goes well again. */
  async function failed(error: unknown): Promise<void> {
    const problem = Error.isError(error) ? error.message : String(error);
    const isOver = stop.signal.aborted;
    if (!isOver && problem !== saidProblem) log.error({ err: error }, "could not compare what GitHub delivered; trying again");
    if (!isOver) saidProblem = problem;
    await database
      .write((tx) => endTurn(tx, owner, isOver ? null : { problem }))
      .catch((failure) => log.error({ err: failure }, "the turn to look for missed webhooks was not given back"));
  }

  const looks = setInterval(look, checkEvery);
  look();
  return {
    settled: async () => void (await looking),
    async stop() {
      clearInterval(looks);
      stop.abort();
      await looking;
    },
  };
}

function between(time: number, from: number, now: number): boolean {
  return time >= from && time <= now - grace;
}
