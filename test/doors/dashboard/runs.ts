import type { Database } from "../../../src/database/connection.ts";
import { createCheck } from "../../../src/runs/births.ts";
import { type LogWriter, lineCount, openLog } from "../../../src/runs/log.ts";
import { claim, finish, retry } from "../../../src/runs/queue.ts";
import type { Outcome } from "../../../src/runs/run.ts";
import { until } from "../../support/until.ts";

export interface CheckFacts {
  readonly repository?: number;
  readonly name?: string;
  readonly title?: string;
  readonly ref?: string;
  readonly sha?: string;
  readonly person?: string;
}

/** A check run as the rest of the house makes it, taken through its states by hand. */
export interface CheckAtWork {
  readonly id: number;
  start(): Promise<void>;
  /** Prints lines into the newest attempt's log; resolves when they are kept. */
  print(...lines: string[]): Promise<void>;
  step(name: string, exitCode: number | null): Promise<void>;
  end(outcome: Outcome): Promise<void>;
  again(): Promise<void>;
}

let commits = 0;

export async function aCheck(database: Database, facts: CheckFacts = {}): Promise<CheckAtWork> {
  commits += 1;
  const { repository = 1, name = "test", title = "Round half up", ref = "refs/heads/prices", person = "jonas" } = facts;
  const id = await database.write((tx) =>
    createCheck(tx, {
      cause: { kind: "receipt", id: 1 },
      repository,
      sha: facts.sha ?? commits.toString(16).padStart(40, "0"),
      ref,
      pullRequest: 12,
      title,
      person,
      configuration: {},
      name,
      trust: "own",
      start: { state: "queued" },
    }),
  );
  if (id === null) throw new Error("the run exists already");
  let attempt = 0;
  let printed = 0;
  let steps = 0;
  let log: LogWriter | null = null;
  return {
    id,
    async start() {
      const run = await claim(database, "a worker", async () => "may start");
      if (run?.id !== id) throw new Error("another run was first in the queue");
      [attempt, printed, steps] = [run.attempt.number, 0, 0];
      log = openLog(database, { run: id, attempt, limit: 2 ** 30 });
    },
    async print(...lines) {
      await log?.write(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
      printed += lines.length;
      await until("the lines are kept", async () => (await database.read((db) => lineCount(db, id, attempt))) === printed);
    },
    async step(stepName, exitCode) {
      steps += 1;
      const row = { run: id, attempt, number: steps, name: stepName, first_line: printed + 1, exit_code: exitCode };
      await database.write(async (tx) => {
        await tx.db
          .insertInto("step")
          .values({ ...row, started_at: tx.now, finished_at: exitCode === null ? null : tx.now + 3_000 })
          .execute();
        tx.ring(`log:${id}`);
      });
    },
    async end(outcome) {
      if (!(await database.write((tx) => finish(tx, { id, owner: "a worker", attempt }, outcome))))
        throw new Error("not running");
    },
    async again() {
      if (!(await database.write((tx) => retry(tx, id, {})))) throw new Error("not finished");
    },
  };
}
