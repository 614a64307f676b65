import type { Selectable } from "kysely";
import { z } from "zod";
import type { Tables } from "../database/schema.ts";
import type { Attempt, Birth, Cancellation, Cause, CheckGate, Gate, Lost, Outcome, Run, Some } from "./run.ts";

export type RunRow = Selectable<Tables["run"]>;

/** Reads a row back into the union; a row that breaks its rules is a bug, and rejects with the run's id. */
export function runFromRow(row: RunRow): Run {
  try {
    return row.kind === "check" ? checkFromRow(row) : deploymentFromRow(row);
  } catch (error) {
    throw new Error(`Run ${row.id} in the database cannot be read`, { cause: error });
  }
}

function checkFromRow(row: RunRow): Run {
  const check = { ...birthFromRow(row), kind: "check" as const, name: row.name, trust: present(row.trust, "trust") };
  switch (row.state) {
    case "waiting":
      return { ...check, state: "waiting", gates: some(z.array(checkGate).parse(json(row.gates))) };
    case "finished":
      return { ...check, ...finishedFromRow(row), outcome: outcome.parse(json(row.outcome)) };
    case "queued":
      return {
        ...check,
        state: "queued",
        earlierAttempts: row.attempt,
        ...(row.stop === null ? {} : { stop: stopOf(row.stop) }),
      };
    case "running":
      return { ...check, ...runningFromRow(row) };
  }
}

function deploymentFromRow(row: RunRow): Run {
  const deployment = {
    ...birthFromRow(row),
    kind: "deployment" as const,
    task: present(row.task, "task"),
    environment: row.name,
    preview: row.preview,
    automatic: row.automatic === 1,
    github: row.github,
    judgedAgainst: row.judged_against,
  };
  switch (row.state) {
    case "waiting":
      return { ...deployment, state: "waiting", gates: some(z.array(gate).parse(json(row.gates))) };
    case "finished":
      return { ...deployment, ...finishedFromRow(row), outcome: z.union([outcome, lost]).parse(json(row.outcome)) };
    case "queued":
      return { ...deployment, state: "queued", earlierAttempts: row.attempt };
    case "running":
      return { ...deployment, ...runningFromRow(row) };
  }
}

function birthFromRow(row: RunRow): Birth {
  return {
    id: row.id,
    cause: causeFromText(row.cause),
    repository: row.repository,
    sha: row.sha,
    tree: row.tree,
    ref: row.ref,
    pullRequest: row.pull_request,
    title: row.title,
    author: row.author,
    person: row.person,
    configuration: json(row.configuration),
    createdAt: new Date(row.created_at),
    version: row.version,
  };
}

function finishedFromRow(row: RunRow): { state: "finished"; attempt: Attempt | null; finishedAt: Date } {
  const attempt = row.started_at === null ? null : { number: row.attempt, startedAt: new Date(row.started_at) };
  return { state: "finished", attempt, finishedAt: new Date(present(row.finished_at, "finished_at")) };
}

function runningFromRow(row: RunRow): { state: "running"; attempt: Attempt; stop: Cancellation | null; remembered: unknown } {
  return {
    state: "running",
    attempt: { number: row.attempt, startedAt: new Date(present(row.started_at, "started_at")) },
    stop: row.stop === null ? null : stopOf(row.stop),
    remembered: json(row.remembered),
  };
}

function stopOf(text: string): Cancellation {
  return cancellation.parse(json(text));
}

export function causeToText(cause: Cause): string {
  return `${cause.kind} ${cause.id}`;
}

export function causeFromText(text: string): Cause {
  const [kind, id] = text.split(" ");
  return causeSchema.parse({ kind, id: Number(id) });
}

/** Reads an attempt's outcome, which may be that of a check or of a deployment. */
export function outcomeFromText(text: string | null): Outcome | Lost | null {
  return text === null ? null : z.union([outcome, lost]).parse(JSON.parse(text));
}

function json(text: string | null): unknown {
  return text === null ? null : JSON.parse(text);
}

function present<T>(value: T | null, column: string): T {
  if (value === null) throw new Error(`${column} is empty`);
  return value;
}

function some<T>(values: readonly T[]): Some<T> {
  const [first, ...rest] = values;
  if (first === undefined) throw new Error("a waiting run names no gate");
  return [first, ...rest];
}

const causeSchema: z.ZodType<Cause> = z.object({ kind: z.enum(["receipt", "run", "deed", "pull_request"]), id: z.int() });

const cancellation: z.ZodType<Cancellation> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("superseded"), by: z.string() }),
  z.object({ kind: z.literal("closed"), pullRequest: z.int() }),
  z.object({ kind: z.literal("unwanted"), why: z.string() }),
  z.object({ kind: z.literal("by hand"), by: z.string(), reason: z.string().exactOptional() }),
]);

const outcome: z.ZodType<Outcome> = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("passed"),
    note: z.string().exactOptional(),
    live: z.object({ release: z.unknown(), url: z.string().exactOptional() }).exactOptional(),
  }),
  z.object({
    kind: z.literal("failed"),
    what: z.string(),
    exitCode: z.int().exactOptional(),
    switched: z.literal(true).exactOptional(),
  }),
  z.object({ kind: z.literal("errored"), what: z.string(), fix: z.string().exactOptional() }),
  z.object({ kind: z.literal("cancelled"), because: cancellation, switched: z.literal(true).exactOptional() }),
]);

const lost: z.ZodType<Lost> = z.object({ kind: z.literal("lost") });

const checkGate: z.ZodType<CheckGate> = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("approval"),
    needed: z.int(),
    by: z.array(z.string()),
    environment: z.string().exactOptional(),
  }),
  z.object({ kind: z.literal("sandbox") }),
]);

/** As JSON writes a moment. */
const moment = z.iso.datetime().transform((text) => new Date(text));

const gate: z.ZodType<Gate> = z.union([
  checkGate,
  z.object({ kind: z.literal("lock"), by: z.string(), reason: z.string(), since: moment }),
  z.object({ kind: z.literal("freeze"), until: moment.nullable(), timezone: z.string(), reason: z.string() }),
  z.object({
    kind: z.literal("checks"),
    notGreen: z.array(z.object({ context: z.string(), state: z.enum(["missing", "pending", "failed"]) })),
  }),
  z.object({ kind: z.literal("previous"), environment: z.string() }),
  z.object({ kind: z.literal("order") }),
]);
