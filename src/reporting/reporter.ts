import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { Database } from "../database/connection.ts";
import type { GitHub } from "../github/github.ts";
import { GitHubProblem } from "../github/problem.ts";
import { findRepository, setActive } from "../github/repository.ts";
import { originInLog, runBehind } from "../runs/origin.ts";
import { causeFromText } from "../runs/rows.ts";
import { keepHolding, settle, takeDue } from "./hold.ts";
import { notYet, type SayingOptions } from "./preview-environment.ts";
import { type Report, say } from "./say.ts";
import { createTroubles, type Troubles } from "./troubles.ts";

export interface ReporterOptions {
  readonly database: Database;
  readonly github: GitHub;
  /** Base of every link that is posted. */
  readonly publicUrl: string;
  readonly contextPrefix: string;
  /** What begins to be shown from now on. */
  readonly showChecksAs: "statuses" | "check-runs";
  readonly appId: number;
  readonly log: Logger;
  /** Told when GitHub was told something new of a subject, or could not be. */
  readonly onSaid?: (report: Report, startedAt: Date, problem: string | null) => void;
}

export interface Reporter {
  /** Resolves when nothing is due any more; what waits for a later time is not waited for. */
  settled(): Promise<void>;
  /** Resolves when nothing is under way; what is still to be said is said after the next start. */
  stop(): Promise<void>;
}

const lookEvery = 5_000;
/** Milliseconds until something is tried whose time had not come. */
const soon = 500;
const atOnce = 10;

/**
 * Makes GitHub show what is true: for every subject whose state was raised, renders the state as it is now and says it.
 * Several replicas may run one each; a subject is held by one of them at a time, so its reports arrive in order.
 */
export function startReporter(given: ReporterOptions): Reporter {
  const { database, log } = given;
  const holder = randomUUID();
  const means: Means = { ...given, holder, troubles: createTroubles(log), mayNotDelete: new Set() };
  const underWay = new Set<Promise<void>>();
  let stopped = false;
  let looking: Promise<void> | null = null;
  let lookAgain = false;

  function look(): Promise<void> {
    lookAgain = true;
    looking ??= Promise.resolve().then(takeAll);
    return looking;
  }

  /** Ends in the very turn in which nobody asks for another look, so that no ring falls between the two. */
  async function takeAll(): Promise<void> {
    try {
      while (lookAgain && !stopped && underWay.size < atOnce) {
        lookAgain = false;
        for (const report of await takeDue(database, holder, atOnce - underWay.size)) begin(report);
      }
    } catch (error) {
      log.error({ err: error }, "looking for what to report failed; trying again");
    } finally {
      looking = null;
    }
  }

  function begin(report: Report): void {
    const work = deliver(report, means).then((isSaid) => {
      underWay.delete(work);
      if (!isSaid) setTimeout(() => void look(), soon).unref();
      void look();
    });
    underWay.add(work);
  }

  const unwake = database.wake.on("reports", () => void look());
  const looks = setInterval(() => void look(), lookEvery);
  void look();
  return {
    async settled() {
      // Only a look that began with nothing under way, and found nothing, was the last.
      for (;;) {
        const wasCalm = underWay.size === 0;
        await look();
        if (wasCalm && underWay.size === 0) return;
        await Promise.all(underWay);
      }
    },
    async stop() {
      stopped = true;
      unwake();
      clearInterval(looks);
      await looking;
      await Promise.all(underWay);
    },
  };
}

interface Means extends SayingOptions {
  readonly holder: string;
  readonly troubles: Troubles;
}

/** Never rejects: what failed is kept with the report, and said in the log. `false` when something else has to be said first. */
async function deliver(report: Report, means: Means): Promise<boolean> {
  const { database, github, holder, troubles } = means;
  const held = keepHolding(database, holder, report);
  const startedAt = new Date();
  let installation: number | null = null;
  try {
    const repository = await database.read((db) => findRepository(db, report.repository));
    installation = repository?.installation ?? null;
    const said =
      repository === null
        ? report.said
        : await say(report, repository, { ...means, github: { ...github, as: (id) => github.as(id, held.signal) } });
    if (said === notYet) {
      await settle(database, holder, report, { attempts: 0, wait: soon, problem: null });
      return false;
    }
    if (installation !== null && said !== report.said) troubles.over(installation);
    await settle(database, holder, report, { sent: report.wanted, said, attempts: 0, not_before: 0, problem: null });
    if (said !== report.said) {
      means.onSaid?.(report, startedAt, null);
      await logSaid(report, means);
    }
    return true;
  } catch (error) {
    means.onSaid?.(report, startedAt, Error.isError(error) ? error.message : String(error));
    await putOff(report, installation, error, means).catch((failure) =>
      means.log.error({ err: failure, subject: report.key }, "a report's failure was not kept"),
    );
    return true;
  } finally {
    held.stop();
  }
}

/** Best effort: what was said is said. */
async function logSaid({ key, subject, repository }: Report, { database, log }: Means): Promise<void> {
  const run = await database.read((db) => runBehind(db, subject, repository)).catch(() => null);
  log.info({ subject: key, ...(run === null ? {} : originInLog(causeFromText(run.cause))) }, "GitHub was told");
}

async function putOff(report: Report, installation: number | null, error: unknown, means: Means): Promise<void> {
  const { database, holder, log, troubles } = means;
  const problem = Error.isError(error) ? error.message : String(error);
  const answer = error instanceof GitHubProblem ? error : null;
  if (answer?.kind === "withdrawn" && installation !== null) {
    log.error({ err: error, installation }, "the App was suspended or removed: GitHub is told nothing there until it comes back");
    await database.write((tx) => setActive(tx, { installation }, false));
    return settle(database, holder, report, { not_before: 0, problem });
  }
  if (answer !== null && !answer.retryable) {
    const facts = { err: error, subject: report.key };
    if (answer.kind !== "forbidden" || installation === null) {
      log.error(facts, "GitHub does not take a report; it is not repeated until something changes");
    } else troubles.missing(installation, problem, facts);
    // The count of attempts stays: something may have reached GitHub, and a deployment must not be created twice.
    return settle(database, holder, report, { sent: report.wanted, not_before: 0, problem });
  }
  // What is no answer of GitHub may pass (the database was away) or not (a fault of ours): it is tried less and less often.
  const longest = answer === null ? 3_600_000 : 20_000;
  const wait = answer?.retryAt?.getTime() ?? Date.now() + Math.min(longest, 1_000 * 2 ** Math.min(report.attempts, 30));
  troubles.begin(installation, answer, { err: error, subject: report.key, again: new Date(wait).toISOString() });
  return settle(database, holder, report, { wait: Math.max(0, wait - Date.now()), problem });
}
