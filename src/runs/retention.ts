import type { Logger } from "pino";
import type { Database } from "../database/connection.ts";
import { forgetHistory } from "./forget-history.ts";
import { forgetLogs } from "./forget-logs.ts";

export interface RetentionOptions {
  readonly database: Database;
  readonly settings: {
    /** Milliseconds, as the other. */
    readonly logRetention: number;
    readonly historyRetention: number;
  };
  readonly log: Logger;
}

/** Forgets what is older than people wanted it kept. */
export interface Retention {
  /** Resolves when nothing is under way; the rest is forgotten after the next start. */
  stop(): Promise<void>;
}

const hour = 3_600_000;

/** Sweeps now and every hour. Several replicas may do so at once: each deletes what is still there. */
export function startRetention(options: RetentionOptions): Retention {
  const stop = new AbortController();
  let sweeping: Promise<void> | null = null;
  const begin = () => {
    sweeping ??= sweep(options, stop.signal)
      .catch((error) => options.log.error({ err: error }, "old logs and runs could not be deleted; trying again in an hour"))
      .finally(() => {
        sweeping = null;
      });
  };
  const sweeps = setInterval(begin, hour);
  begin();
  return {
    async stop() {
      clearInterval(sweeps);
      stop.abort();
      await sweeping;
    },
  };
}

/** One sweep, in transactions so small that nobody waits for them; between two of them it leaves off when it is told to. Safe to repeat. */
export async function sweep({ database, settings, log }: RetentionOptions, stop: AbortSignal): Promise<void> {
  const now = await database.write(async (tx) => tx.now);
  const logs = await forgetLogs(database, now - settings.logRetention, stop);
  const runs = await forgetHistory(database, now - settings.historyRetention, now, stop);
  if (logs + runs > 0) log.info({ logs, runs }, "deleted what LOG_RETENTION and HISTORY_RETENTION no longer keep");
}
