import type { Database, Transaction } from "../database/connection.ts";
import type { LogWriter } from "./log.ts";

/** One step of an attempt, which the page shows with its time. */
export interface Step {
  /** `null` where there is no such thing as an exit code. */
  end(exitCode: number | null): Promise<void>;
}

/** The steps of one attempt; they do not nest. The work does not wait until the database has taken them. */
export interface Steps {
  open(name: string): Step;
  /** Resolves when all of them are kept; rejects when one is not. */
  settled(): Promise<void>;
}

export function openSteps(
  database: Database,
  row: { readonly run: number; readonly attempt: number },
  output: Pick<LogWriter, "endLine">,
): Steps {
  let count = 0;
  let failure: unknown = null;
  // One after the other: an end must not overtake its beginning.
  let kept: Promise<void> = Promise.resolve();

  function keep(work: (tx: Transaction) => Promise<unknown>): void {
    const write = () =>
      database.write(async (tx) => {
        await work(tx);
        tx.ring(`log:${row.run}`);
      });
    kept = kept.then(write).catch((error) => {
      failure ??= error;
    });
  }

  return {
    open(name) {
      count += 1;
      const number = count;
      const firstLine = output.endLine();
      keep((tx) => {
        const opened = { ...row, number, name, started_at: tx.now, finished_at: null, exit_code: null, first_line: firstLine };
        return tx.db.insertInto("step").values(opened).execute();
      });
      return {
        async end(exitCode) {
          keep((tx) =>
            tx.db
              .updateTable("step")
              .where("run", "=", row.run)
              .where("attempt", "=", row.attempt)
              .where("number", "=", number)
              .set({ finished_at: tx.now, exit_code: exitCode })
              .execute(),
          );
        },
      };
    },
    async settled() {
      await kept;
      if (failure !== null) throw failure;
    },
  };
}
