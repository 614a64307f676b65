import { afterReceiptStep, leasesReleased, noReceipts, type ReceiptStep, type ReceiptsModel } from "./receipts-model.ts";

/**
 * What runs do, in plain values and without a database: small enough to be read as the specification. One step at a time, on a clock
 * that ticks with each step. `model.test.ts`' other half does the same to a real database and compares everything.
 */
export interface Model {
  readonly now: number;
  readonly runs: readonly ModelRun[];
  /** Every hold that a worker was ever given, also those that it has lost. */
  readonly holds: readonly ModelHold[];
  /** Environments whose gates are shut. */
  readonly shut: readonly string[];
  readonly webhooks: ReceiptsModel;
}

export interface ModelRun {
  readonly kind: "check" | "deployment";
  readonly sha: string;
  /** A check's name, or a deployment's environment, which is its lane. */
  readonly name: string;
  readonly automatic: boolean;
  readonly state: "waiting" | "queued" | "running" | "finished";
  readonly attempts: readonly ModelAttempt[];
  readonly notBefore: number;
  readonly owner: string | null;
  readonly leaseUntil: number;
  /** Why it is to be stopped. */
  readonly stop: string | null;
  /** `passed`, `failed`, `lost`, or why it was cancelled. */
  readonly outcome: string | null;
  readonly finishedAt: number | null;
  readonly version: number;
  /** How often GitHub was to be told of it. */
  readonly wanted: number;
}

export interface ModelAttempt {
  readonly isOver: boolean;
  readonly outcome: string | null;
}

export interface ModelHold {
  readonly run: number;
  readonly attempt: number;
  readonly owner: string;
}

/** Runs and holds are named by their place in the order in which they were made. */
export type Step = RunStep | ReceiptStep;

type RunStep =
  | { readonly kind: "wish for a check"; readonly sha: string; readonly name: string }
  | { readonly kind: "wish for a deployment"; readonly sha: string; readonly environment: string; readonly automatic: boolean }
  | { readonly kind: "open the gates" | "shut the gates"; readonly environment: string }
  | { readonly kind: "claim"; readonly owner: string }
  | { readonly kind: "beat"; readonly hold: number }
  | { readonly kind: "finish"; readonly hold: number; readonly outcome: "passed" | "failed" }
  | { readonly kind: "put back"; readonly hold: number; readonly pause: number }
  | { readonly kind: "cancel"; readonly run: number; readonly by: string }
  | { readonly kind: "retry"; readonly run: number }
  | { readonly kind: "time passes"; readonly milliseconds: number }
  | { readonly kind: "reap" }
  /** The only server dies and starts again: all that runs is known to be dead. */
  | { readonly kind: "restart" };

/** What the caller is told: a run's place, whether something was done, a wish to stop, or a number. */
export type Answer = number | boolean | string | null;

export const empty: Model = { now: 0, runs: [], holds: [], shut: [], webhooks: noReceipts };
export const lease = 15_000;

/** What a step leads to, and what its caller is told. */
export function after(before: Model, step: Step): readonly [Model, Answer] {
  const model = { ...before, now: before.now + 1 };
  switch (step.kind) {
    case "wish for a check": {
      if (model.runs.some((run) => run.kind === "check" && run.sha === step.sha && run.name === step.name)) return [model, null];
      return [
        { ...model, runs: [...model.runs, { ...newRun, kind: "check", sha: step.sha, name: step.name }] },
        model.runs.length,
      ];
    }
    case "wish for a deployment": {
      const same = model.runs.filter((run) => run.kind === "deployment" && run.sha === step.sha && run.name === step.environment);
      if (same.some((run) => run.state !== "finished" || (run.automatic && step.automatic))) return [model, null];
      const { sha, environment: name, automatic } = step;
      const run: ModelRun = { ...newRun, kind: "deployment", sha, name, automatic, state: "waiting" };
      return [{ ...model, runs: [...model.runs, run] }, model.runs.length];
    }
    case "open the gates": {
      const open = { ...model, shut: model.shut.filter((environment) => environment !== step.environment) };
      return [each(open, (run) => (run.state === "waiting" && run.name === step.environment ? { state: "queued" } : null)), null];
    }
    case "shut the gates":
      return [{ ...model, shut: [...new Set([...model.shut, step.environment])] }, null];
    case "claim":
      return claimed(model, step.owner);
    case "beat": {
      const { index, run } = held(model, step.hold);
      if (run === null) return [model, "lost"];
      return [silently(model, index, { leaseUntil: model.now + lease }), run.stop ?? "go on"];
    }
    case "finish": {
      const { index, run } = held(model, step.hold);
      return run === null ? [model, false] : [finished(model, index, step.outcome), true];
    }
    case "put back": {
      const { index, run } = held(model, step.hold);
      return run?.kind !== "check" ? [model, false] : [backInTheQueue(model, index, run, model.now + step.pause), true];
    }
    case "cancel": {
      const run = model.runs[step.run];
      if (run?.state === "running") return [silently(model, step.run, { stop: run.stop ?? step.by }), null];
      return [run === undefined || run.state === "finished" ? model : finished(model, step.run, step.by), null];
    }
    case "retry":
      return again(model, step.run);
    case "time passes":
      return [{ ...model, now: model.now + step.milliseconds }, null];
    case "reap":
      return reaped(model, (run) => run.leaseUntil < model.now);
    case "restart":
      return reaped({ ...model, webhooks: leasesReleased(model.webhooks) }, () => true);
    case "receive":
    case "receive and die":
    case "claim receipts":
    case "extend leases":
    case "settle":
    case "try again later": {
      const [webhooks, answer] = afterReceiptStep(model.webhooks, step, model.now);
      return [{ ...model, webhooks }, answer];
    }
  }
}

const newRun: Omit<ModelRun, "kind" | "sha" | "name"> = {
  automatic: false,
  state: "queued",
  attempts: [],
  notBefore: 0,
  owner: null,
  leaseUntil: 0,
  stop: null,
  outcome: null,
  finishedAt: null,
  version: 1,
  wanted: 1,
};

/** The oldest queued run whose lane is free. A shut gate sends it back to wait, and the next one is looked at. */
function claimed(model: Model, owner: string): readonly [Model, Answer] {
  const index = model.runs.findIndex(
    (run, place) => run.state === "queued" && run.notBefore <= model.now && isFirst(model, run, place),
  );
  const run = model.runs[index];
  if (run === undefined) return [model, null];
  if (run.kind === "deployment" && model.shut.includes(run.name))
    return claimed(change(model, index, { state: "waiting" }), owner);
  const attempts = [...run.attempts, { isOver: false, outcome: null }];
  const started = change(model, index, { state: "running", owner, attempts, leaseUntil: model.now + lease, stop: null });
  return [{ ...started, holds: [...model.holds, { run: index, attempt: attempts.length, owner }] }, index];
}

function isFirst(model: Model, run: ModelRun, place: number): boolean {
  if (run.kind === "check") return true;
  const lane = model.runs.filter((other) => other.kind === "deployment" && other.name === run.name);
  const ahead = model.runs.slice(0, place).filter((other) => lane.includes(other) && other.state === "queued");
  return ahead.length === 0 && lane.every((other) => other.state !== "running");
}

function again(model: Model, index: number): readonly [Model, Answer] {
  const run = model.runs[index];
  if (run === undefined || run.kind === "deployment") return [model, false];
  if (run.state === "running" && run.stop !== null) return [change(model, index, { stop: null }), true];
  if (run.state !== "finished") return [model, false];
  return [change(model, index, { state: "queued", outcome: null, finishedAt: null, notBefore: 0 }), true];
}

function reaped(model: Model, isDead: (run: ModelRun) => boolean): readonly [Model, Answer] {
  const dead = model.runs.flatMap((run, index) => (run.state === "running" && isDead(run) ? [index] : []));
  return [dead.reduce(abandoned, model), dead.length];
}

function abandoned(model: Model, index: number): Model {
  const run = model.runs[index];
  if (run === undefined) return model;
  return run.kind === "check" ? backInTheQueue(model, index, run, 0) : finished(model, index, run.stop ?? "lost");
}

/** Nobody goes on with what somebody wants to stop. */
function backInTheQueue(model: Model, index: number, run: ModelRun, notBefore: number): Model {
  if (run.stop !== null) return finished(model, index, run.stop);
  return change(model, index, { state: "queued", owner: null, leaseUntil: 0, notBefore, attempts: endLast(run, null) });
}

function finished(model: Model, index: number, outcome: string): Model {
  const run = model.runs[index];
  if (run === undefined) return model;
  const attempts = run.state === "running" ? endLast(run, outcome) : run.attempts;
  const replaced = run.kind === "deployment" && outcome === "passed" ? live(model, run.name) : null;
  const told = replaced === null ? model : silently(model, replaced, { wanted: (model.runs[replaced]?.wanted ?? 0) + 1 });
  return change(told, index, { state: "finished", outcome, attempts, owner: null, leaseUntil: 0, finishedAt: model.now });
}

/** The deployment that passed last in an environment. */
export function live(model: Model, environment: string): number | null {
  const passed = model.runs.flatMap((run, index) =>
    run.kind === "deployment" && run.name === environment && run.outcome === "passed" ? [{ run, index }] : [],
  );
  const last = passed.toSorted((a, b) => (b.run.finishedAt ?? 0) - (a.run.finishedAt ?? 0))[0];
  return last?.index ?? null;
}

function endLast(run: ModelRun, outcome: string | null): readonly ModelAttempt[] {
  return [...run.attempts.slice(0, -1), { isOver: true, outcome }];
}

/** The run of a hold, if the hold still counts. */
function held(model: Model, number: number): { readonly index: number; readonly run: ModelRun | null } {
  const hold = model.holds[number];
  const run = hold === undefined ? undefined : model.runs[hold.run];
  const counts = run?.state === "running" && run.owner === hold?.owner && run.attempts.length === hold?.attempt;
  return { index: hold?.run ?? -1, run: counts && run !== undefined ? run : null };
}

function each(model: Model, changed: (run: ModelRun) => Partial<ModelRun> | null): Model {
  return model.runs.reduce((now, run, index) => {
    const values = changed(run);
    return values === null ? now : change(now, index, values);
  }, model);
}

/** A change that people see. */
function change(model: Model, index: number, values: Partial<ModelRun>): Model {
  const run = model.runs[index];
  return run === undefined ? model : silently(model, index, { ...values, version: run.version + 1, wanted: run.wanted + 1 });
}

function silently(model: Model, index: number, values: Partial<ModelRun>): Model {
  return { ...model, runs: model.runs.map((run, place) => (place === index ? { ...run, ...values } : run)) };
}
