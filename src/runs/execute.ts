import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { Database } from "../database/connection.ts";
import type { Io } from "../process/io.ts";
import { createMask, type Mask } from "../secrets/mask.ts";
import type { Hold } from "./changes.ts";
import { handOver } from "./hand-over.ts";
import { type LogWriter, openLog } from "./log.ts";
import { maskedLog } from "./masked-log.ts";
import { originInLog } from "./origin.ts";
import { beat, finish, putBack, remember } from "./queue.ts";
import type { Cancellation, CheckRun, DeploymentRun, Lost, Outcome, RunningRun } from "./run.ts";
import { openSteps, type Step, type Steps } from "./steps.ts";

export type RunningCheck = Extract<CheckRun, { state: "running" }>;
export type RunningDeployment = Extract<DeploymentRun, { state: "running" }>;

/** What executes runs; handed in by `main`, so that this room knows neither checks nor deployments. */
export interface Executors {
  check(run: RunningCheck, io: RunIo): Promise<Outcome>;
  deployment(run: RunningDeployment, io: RunIo): Promise<Outcome>;
}

/** A run's own means while it is executed. */
export interface RunIo extends Io {
  /** Opens a step; they do not nest. */
  step(name: string): Promise<Step>;
  /** From here on the value is taken out of the log and of the outcome's words. To be called before a secret is handed to anything. */
  conceal(value: string): void;
}

/** Why a signal was aborted, when no person wanted it. */
export type Interruption = "shutdown" | "lease lost";

interface Means {
  readonly database: Database;
  readonly executors: Executors;
  readonly owner: string;
  readonly logLimit: number;
  readonly log: Logger;
  readonly onEnded?: (run: RunningRun, ending: string) => void;
}

const beatEvery = 5_000;
/**
 * Milliseconds without a renewal after which the work is broken off: with the second that its processes get to end, well before the lease
 * passes on. Measured by a clock that never goes back, from before the renewal was asked for.
 */
const silentAtMost = 10_000;
/** A check whose surroundings failed (GitHub down, a token refused) is tried again this often. */
const mostAttempts = 5;

/** How the server stops. */
export interface ShutDown {
  /** Time to leave what can be gone on with: checks, and deployments that have remembered something. */
  readonly begun: AbortSignal;
  /** Nobody waits any longer for the others either. */
  readonly over: AbortSignal;
}

/** Executes a claimed run and ends it. Rejects only when the database does not take its end; the lease ends it then. */
export async function executeRun(run: RunningRun, means: Means, shutDown: ShutDown): Promise<void> {
  const { database } = means;
  const mask = createMask();
  const log = maskedLog(means.log, mask);
  const hold: Hold = { id: run.id, attempt: run.attempt.number, owner: means.owner };
  const stop = new AbortController();
  // It may have been stopped while nobody held it, and is here only so that what goes on elsewhere is stopped.
  if (run.stop !== null) stop.abort(run.stop);
  const heart = keepBeating(database, hold, (reason) => stop.abort(reason), log);
  let remembered = run.remembered;
  const leave = () => stop.abort("shutdown" satisfies Interruption);
  const leaveWhatGoesOn = () => {
    if (shutDown.begun.aborted && (run.kind === "check" || remembered !== null)) leave();
  };
  const keep = async (handle: unknown) => {
    await remember(database, hold, handle);
    remembered = handle;
    leaveWhatGoesOn();
  };
  shutDown.begun.addEventListener("abort", leaveWhatGoesOn, { once: true });
  shutDown.over.addEventListener("abort", leave, { once: true });
  const attempt = { run: run.id, attempt: hold.attempt };
  const output = openLog(database, { ...attempt, limit: means.logLimit });
  const steps = openSteps(database, attempt, output);
  const facts = { run: run.id, ...originInLog(run.cause) };
  log.info({ ...facts, kind: run.kind, sha: run.sha, attempt: hold.attempt }, "run started");
  try {
    const ending = await endingOf(
      run,
      { ...means, log },
      runIo(run, { output, mask, steps, keep }, stop.signal),
      () => remembered !== null,
    );
    await closeLog({ output, mask, steps }).catch((error) =>
      log.error({ err: error, run: run.id }, "the end of a log was not kept"),
    );
    await conclude(database, hold, maskedEnding(ending, mask), log);
    log.info({ ...facts, ending: ending.kind }, "run ended");
    means.onEnded?.(run, ending.kind);
  } finally {
    heart.stop();
  }
}

/** What a run writes, and what must not be in it. */
interface Output {
  readonly output: LogWriter;
  readonly mask: Mask;
  readonly steps: Steps;
}

async function closeLog({ output, mask, steps }: Output): Promise<void> {
  await output.write(mask.rest());
  await output.close();
  await steps.settled();
}

/** A service may repeat a secret in the very message that says why it was refused. */
function maskedEnding(ending: RunEnding, mask: Mask): RunEnding {
  if (ending.kind === "failed") return { ...ending, what: mask.text(ending.what) };
  if (ending.kind !== "errored") return ending;
  return { ...ending, what: mask.text(ending.what), ...(ending.fix === undefined ? {} : { fix: mask.text(ending.fix) }) };
}

type RunEnding =
  | Outcome
  | Lost
  | { readonly kind: "put back" /** Milliseconds. */; readonly pause: number }
  | { readonly kind: "handed over" }
  | { readonly kind: "not ours" };

async function endingOf(run: RunningRun, { executors, log }: Means, io: RunIo, goesOn: () => boolean): Promise<RunEnding> {
  try {
    return await (run.kind === "check" ? executors.check(run, io) : executors.deployment(run, io));
  } catch (error) {
    if (io.stop.aborted) return interrupted(run, io.stop.reason, goesOn());
    if (run.kind === "check" && isRetryable(error) && run.attempt.number < mostAttempts) {
      log.warn({ err: error, run: run.id }, "a check's surroundings failed; it is tried again");
      return { kind: "put back", pause: 2 ** run.attempt.number * 5_000 };
    }
    log.error({ err: error, run: run.id }, "a run failed for a reason of ours");
    const what = isRetryable(error) ? firstLine(error) : "Signalbox itself failed";
    return {
      kind: "errored",
      what,
      fix: isRetryable(error) ? "Run it again later" : `The server's log has the details of run ${run.id}`,
    };
  }
}

function interrupted(run: RunningRun, reason: Interruption | Cancellation, goesOn: boolean): RunEnding {
  if (reason === "lease lost") return { kind: "not ours" };
  if (run.kind === "check" && run.stop !== null && reason !== "shutdown") return { kind: "cancelled", because: reason };
  // Also when somebody wanted it stopped: putting it back looks whether that is still so, and only then ends it.
  if (run.kind === "check") return { kind: "put back", pause: 0 };
  if (reason === "shutdown") return goesOn ? { kind: "handed over" } : { kind: "lost" };
  return { kind: "cancelled", because: reason };
}

/** Tries for almost as long as the lease lasts: a deployment that has ended must not become lost because the database was away for a moment. */
async function conclude(database: Database, hold: Hold, ending: RunEnding, log: Logger): Promise<void> {
  if (ending.kind === "not ours") return;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await database.write((tx) => {
        if (ending.kind === "put back") return putBack(tx, hold, tx.now + ending.pause);
        return ending.kind === "handed over" ? handOver(tx, hold) : finish(tx, hold, ending);
      });
      return;
    } catch (error) {
      if (attempt === 10) throw error;
      log.warn({ err: error, run: hold.id }, "the end of a run was not taken by the database; trying again");
      await delay(1_000);
    }
  }
}

/** Renews the lease until it is stopped, and tells of a wish to stop or of a lease that is gone. */
function keepBeating(
  database: Database,
  hold: Hold,
  interrupt: (reason: Interruption | Cancellation) => void,
  log: Logger,
): { stop(): void } {
  let renewedAt = performance.now();
  const once = async () => {
    const askedAt = performance.now();
    try {
      const answer = await beat(database, hold);
      if (answer === "lost") return interrupt("lease lost");
      renewedAt = Math.max(renewedAt, askedAt);
      if (answer !== "go on") interrupt(answer);
    } catch (error) {
      log.error({ err: error, run: hold.id }, "a run's lease could not be renewed; trying again");
    }
  };
  const timer = setInterval(() => void once(), beatEvery);
  // On SQLite nobody else could take it over: there a disk that is full or slow for a while costs nothing.
  const watch = setInterval(() => {
    if (database.engine !== "postgres" || performance.now() - renewedAt <= silentAtMost) return;
    clearInterval(watch);
    log.error({ run: hold.id }, "the database does not answer: the run is broken off before another worker may take it");
    interrupt("lease lost");
  }, 500);
  const unwake = database.wake.on("stops", () => void once());
  return {
    stop() {
      clearInterval(timer);
      clearInterval(watch);
      unwake();
    },
  };
}

function runIo(
  run: RunningRun,
  { output, mask, steps, keep }: Output & { keep(handle: unknown): Promise<void> },
  stop: AbortSignal,
): RunIo {
  return {
    stop,
    write: (bytes) => output.write(mask.pass(bytes)),
    conceal: (value) => mask.add(value),
    remembered: run.remembered,
    remember: keep,
    async step(name) {
      await output.write(mask.rest());
      return steps.open(name);
    },
  };
}

function isRetryable(error: unknown): boolean {
  return typeof error === "object" && error !== null && "retryable" in error && error.retryable === true;
}

function firstLine(error: unknown): string {
  return Error.isError(error) ? (error.message.split("\n", 1)[0] ?? "") : String(error);
}
