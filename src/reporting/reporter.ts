import type { Logger } from "pino";
import type { Database } from "../database/connection.ts";
import type { GitHub } from "../github/github.ts";
import { GitHubProblem } from "../github/problem.ts";
import { findRepository } from "../github/repository.ts";
import { subjectFromText } from "../runs/reports.ts";
import { type Report, say } from "./say.ts";

export interface ReporterOptions {
  readonly database: Database;
  readonly github: GitHub;
  /** Base of every link that is posted. */
  readonly publicUrl: string;
  readonly contextPrefix: string;
  readonly log: Logger;
}

export interface Reporter {
  /** Resolves when nothing is due any more; what waits for a later time is not waited for. */
  settled(): Promise<void>;
  /** Resolves when nothing is under way; what is still to be said is said after the next start. */
  stop(): Promise<void>;
}

/** Longer than all requests of one report may take together, in milliseconds. */
const hold = 45_000;
const lookEvery = 5_000;
const atOnce = 10;

/**
 * Makes GitHub show what is true: for every subject whose state was raised, renders the state as it is now and says it.
 * Several replicas may run one each; a subject is held by one of them at a time, so its reports arrive in order.
 */
export function startReporter(options: ReporterOptions): Reporter {
  const { database, log } = options;
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
        for (const report of await takeDue(database, atOnce - underWay.size)) begin(report);
      }
    } catch (error) {
      log.error({ err: error }, "looking for what to report failed; trying again");
    } finally {
      looking = null;
    }
  }

  function begin(report: Report): void {
    const work = deliver(report, options).finally(() => {
      underWay.delete(work);
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

/** At the start of the only server nobody else holds a report: what a dead server held is due at once. */
export async function freeReports(database: Database): Promise<void> {
  await database.write((tx) => tx.db.updateTable("report").set({ not_before: 0 }).whereRef("sent", "<", "wanted").execute());
}

async function takeDue(database: Database, most: number): Promise<readonly Report[]> {
  return database.write(async (tx) => {
    const due = tx.db
      .selectFrom("report")
      .select("subject")
      .whereRef("sent", "<", "wanted")
      .where("not_before", "<=", tx.now)
      // What is to be said of a repository that the App lost is said when it comes back.
      .where("repository", "in", (is) => is.selectFrom("repository").select("id").where("active", "=", 1))
      .orderBy("not_before")
      .limit(most);
    const subjects = await (tx.engine === "postgres" ? due.forUpdate().skipLocked() : due).execute();
    if (subjects.length === 0) return [];
    const rows = await tx.db
      .updateTable("report")
      .set((is) => ({ not_before: tx.now + hold, attempts: is("attempts", "+", 1) }))
      .where(
        "subject",
        "in",
        subjects.map((row) => row.subject),
      )
      .returningAll()
      .execute();
    return rows.map((row) => ({ ...row, subject: subjectFromText(row.subject), key: row.subject }));
  });
}

/** Never rejects: what failed is kept with the report, and said in the log. */
async function deliver(report: Report, options: ReporterOptions): Promise<void> {
  const { database, log } = options;
  try {
    const repository = await database.read((db) => findRepository(db, report.repository));
    const said = repository === null ? report.said : await say(report, repository, options);
    await settle(database, report, { sent: report.wanted, said, attempts: 0, not_before: 0, problem: null });
  } catch (error) {
    await putOff(report, error, options).catch((failure) =>
      log.error({ err: failure, subject: report.key }, "a report's failure was not kept"),
    );
  }
}

async function putOff(report: Report, error: unknown, { database, log }: ReporterOptions): Promise<void> {
  const problem = Error.isError(error) ? error.message : String(error);
  const answer = error instanceof GitHubProblem ? error : null;
  if (answer !== null && !answer.retryable) {
    log.error({ err: error, subject: report.key }, "GitHub does not take a report; it is not repeated until something changes");
    // The count of attempts stays: something may have reached GitHub, and a deployment must not be created twice.
    return settle(database, report, { sent: report.wanted, not_before: 0, problem });
  }
  // What is no answer of GitHub may pass (the database was away) or not (a fault of ours): it is tried less and less often.
  const longest = answer === null ? 3_600_000 : 20_000;
  const wait = answer?.retryAt ?? new Date(Date.now() + Math.min(longest, 1_000 * 2 ** report.attempts));
  log.warn({ err: error, subject: report.key, again: wait.toISOString() }, "GitHub could not be told; trying again");
  return settle(database, report, { not_before: wait.getTime(), problem });
}

interface Settlement {
  readonly sent?: number;
  readonly said?: string | null;
  readonly attempts?: number;
  readonly not_before: number;
  readonly problem: string | null;
}

async function settle(database: Database, report: Report, values: Settlement): Promise<void> {
  await database.write((tx) => tx.db.updateTable("report").set(values).where("subject", "=", report.key).execute());
}
