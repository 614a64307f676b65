import type { Transaction } from "../database/connection.ts";
import { wantReconsidering } from "./reconsidering.ts";
import { raise, subjectsOf } from "./reports.ts";
import { causeToText } from "./rows.ts";
import { type Cause, type CheckGate, type Gate, laneOf, type Outcome, type Some, type Task, type Trust } from "./run.ts";

interface NewRun {
  readonly cause: Cause;
  readonly repository: number;
  readonly sha: string;
  readonly ref: string | null;
  readonly pullRequest: number | null;
  readonly title: string | null;
  /** Who wrote the change; `person` when missing. */
  readonly author?: string | null;
  readonly person: string | null;
  /** JSON that the room which executes the run can read back. */
  readonly configuration: unknown;
}

export interface NewCheck extends NewRun {
  readonly name: string;
  readonly trust: Trust;
  /** `waiting` for a fork's, `finished` for a check that has nothing to do. */
  readonly start:
    | { readonly state: "queued" }
    | { readonly state: "waiting"; readonly gates: Some<CheckGate> }
    | { readonly state: "finished"; readonly outcome: Outcome };
}

export interface NewDeployment extends NewRun {
  readonly environment: string;
  /** The environment of the file, for a preview of it. */
  readonly preview?: string;
  readonly task: Task;
  readonly automatic: boolean;
  readonly github: number | null;
  readonly start:
    | { readonly state: "waiting"; readonly gates: Some<Gate> }
    | { readonly state: "finished"; readonly outcome: Outcome };
}

/** Makes a run, or finds that it exists already: `null` then, and nothing has changed. */
export async function createCheck(tx: Transaction, check: NewCheck): Promise<number | null> {
  const row = {
    ...rowOf(tx, check),
    kind: "check" as const,
    name: check.name,
    preview: null,
    trust: check.trust,
    automatic: 1,
    ...startOf(tx, check.start),
  };
  const made = await tx.db
    .insertInto("run")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .executeTakeFirst();
  if (made === undefined) return null;
  await raise(tx, check.repository, subjectsOf({ ...row, id: made.id }));
  tx.ring("runs");
  return made.id;
}

/** The same for a deployment. The wish is stored before GitHub is asked to create one. */
export async function createDeploymentRun(tx: Transaction, deployment: NewDeployment): Promise<number | null> {
  const row = {
    ...rowOf(tx, deployment),
    kind: "deployment" as const,
    name: deployment.environment,
    preview: deployment.preview ?? null,
    task: deployment.task,
    automatic: deployment.automatic ? 1 : 0,
    lane: laneOf(deployment.repository, deployment.environment),
    github: deployment.github,
    ...startOf(tx, deployment.start),
  };
  const made = await tx.db
    .insertInto("run")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .executeTakeFirst();
  if (made === undefined) return null;
  await raise(tx, deployment.repository, subjectsOf({ ...row, id: made.id }));
  await wantReconsidering(tx, deployment.repository);
  return made.id;
}

function startOf(tx: Transaction, start: NewCheck["start"] | NewDeployment["start"]) {
  switch (start.state) {
    case "queued":
      return { state: start.state };
    case "waiting":
      return { state: start.state, gates: JSON.stringify(start.gates) };
    case "finished":
      return { state: start.state, outcome: JSON.stringify(start.outcome), finished_at: tx.now };
  }
}

function rowOf(tx: Transaction, run: NewRun) {
  return {
    cause: causeToText(run.cause),
    repository: run.repository,
    sha: run.sha,
    ref: run.ref,
    pull_request: run.pullRequest,
    title: run.title,
    author: run.author ?? run.person,
    person: run.person,
    configuration: JSON.stringify(run.configuration),
    created_at: tx.now,
  };
}
