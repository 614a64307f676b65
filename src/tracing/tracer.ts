import type { Logger } from "pino";
import type { Database, Query } from "../database/connection.ts";
import { runBehind } from "../runs/origin.ts";
import type { Subject } from "../runs/reports.ts";
import type { RunningRun } from "../runs/run.ts";
import { type Exporter, type ExporterOptions, startExporter } from "./exporter.ts";
import { type Span, spanOf, traceOf } from "./span.ts";

/** Follows each delivery to its last status: one trace, by whatever processes and after whatever restarts. */
export interface Tracer {
  readonly hooks: Hooks;
  /** Sends what is left, for a few seconds at most. */
  stop(): Promise<void>;
}

/** To be handed to the inbox, the worker and the reporter, which do not know whom they tell. Each call returns at once. */
export interface Hooks {
  /** A receipt was handled, or an attempt of that failed. */
  onAttempt(attempt: Handled): void;
  /** An attempt of a run has ended here. */
  onEnded(run: RunningRun, ending: string): void;
  /** GitHub was told something, or could not be. */
  onSaid(report: { readonly subject: Subject; readonly repository: number }, startedAt: Date, problem: string | null): void;
}

interface Handled {
  readonly receipt: number;
  readonly guid: string;
  readonly event: string;
  readonly receivedAt: Date;
  readonly startedAt: Date;
  readonly attempt: number;
  readonly isLast: boolean;
  /** `null` when it was handled. */
  readonly problem: string | null;
}

interface TracerOptions extends Omit<ExporterOptions, "log"> {
  readonly database: Database;
  readonly log: Logger;
}

/** Lookups that wait at most: a database that is away costs traces, not memory. */
const mostLookups = 1_000;

export function startTracer({ database, ...options }: TracerOptions): Tracer {
  const { log } = options;
  const exporter: Exporter = startExporter(options);
  const lookups = new Set<Promise<void>>();

  /** Behind whoever told it: where a run comes from is looked up before its span is kept. */
  function keep(find: (db: Query) => Promise<Span | null>): void {
    if (lookups.size >= mostLookups) return;
    const work = database
      .read(find)
      .then((span) => span !== null && exporter.add(span))
      .catch((error: unknown) => log.debug({ err: error }, "a span was lost"))
      .then(() => void lookups.delete(work));
    lookups.add(work);
  }

  const hooks: Hooks = {
    onAttempt({ receipt, guid, event, receivedAt, startedAt, attempt, isLast, problem }) {
      const to = new Date();
      const facts = { "signalbox.receipt": receipt, "signalbox.delivery": guid, "signalbox.attempt": attempt };
      const about = { trace: traceOf(guid), to, facts, problem };
      const root = spanOf("receipt", receipt);
      if (isLast) exporter.add({ ...about, id: root, parent: null, name: `delivery ${event}`, kind: "server", from: receivedAt });
      const id = problem === null ? handlingOf(receipt) : spanOf("handling", receipt, attempt);
      exporter.add({ ...about, id, parent: root, name: `handle ${event}`, kind: "internal", from: startedAt });
    },
    onEnded(run, ending) {
      const to = new Date();
      const { number, startedAt } = run.attempt;
      const name = `${run.kind} ${run.kind === "check" ? run.name : run.environment}`;
      const facts = {
        "signalbox.run": run.id,
        "signalbox.sha": run.sha,
        "signalbox.attempt": number,
        "signalbox.outcome": ending,
      };
      const problem = ending === "passed" ? null : ending;
      keep(async (db) => {
        const origin = await originOf(db, run.id);
        return { ...origin, id: spanOf("run", run.id, number), name, kind: "internal", from: startedAt, to, facts, problem };
      });
    },
    onSaid({ subject, repository }, startedAt, problem) {
      const to = new Date();
      keep(async (db) => {
        const run = await runBehind(db, subject, repository);
        if (run === null) return null;
        const origin = await originOf(db, run.id);
        const parent = run.attempt === 0 ? origin.parent : spanOf("run", run.id, run.attempt);
        const name = subject.kind === "run" ? `report ${run.kind} ${run.name}` : "report commit";
        const id = spanOf("report", run.id, subject.kind, startedAt.getTime());
        const facts = { "signalbox.run": run.id, "signalbox.sha": run.sha };
        return { trace: origin.trace, id, parent, name, kind: "client", from: startedAt, to, facts, problem };
      });
    },
  };
  return {
    hooks,
    async stop() {
      await Promise.all(lookups);
      await exporter.stop();
    },
  };
}

function handlingOf(receipt: number): string {
  return spanOf("handling", receipt);
}

/** Promotions of promotions; a longer chain is not ours. */
const longestChain = 20;

/** The delivery that a run came of, by way of the run that it was promoted from; what a person did begins a trace of its own. */
async function originOf(db: Query, run: number): Promise<Pick<Span, "trace" | "parent">> {
  let [id, parent]: [number, string | null] = [run, null];
  for (let steps = 0; steps < longestChain; steps += 1) {
    const row = await db.selectFrom("run").select(["cause", "attempt"]).where("id", "=", id).executeTakeFirst();
    const [kind = "", number = ""] = row?.cause.split(" ") ?? [];
    if (kind === "run") {
      const from = await db.selectFrom("run").select("attempt").where("id", "=", Number(number)).executeTakeFirst();
      id = Number(number);
      parent ??= spanOf("run", id, from?.attempt ?? 1);
      continue;
    }
    const receipt =
      kind === "receipt"
        ? await db.selectFrom("receipt").select("guid").where("id", "=", Number(number)).executeTakeFirst()
        : undefined;
    if (receipt === undefined) return { trace: traceOf(row?.cause ?? `run ${id}`), parent };
    return { trace: traceOf(receipt.guid), parent: parent ?? handlingOf(Number(number)) };
  }
  return { trace: traceOf(`run ${id}`), parent };
}
