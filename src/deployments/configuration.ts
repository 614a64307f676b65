import { z } from "zod";
import type { Transaction } from "../database/connection.ts";
import type { Approvals, EnvironmentPlan, Freeze, Health, Options, RequireChecks } from "../repository-file/repository-file.ts";
import type { Rules } from "./rules.ts";

/** What a deployment run carries. */
export interface DeploymentConfiguration {
  /** How to deploy, from the deployed commit's file. */
  readonly plan: EnvironmentPlan;
  /** The checks of the deployed commit's file. */
  readonly checks: readonly string[];
  /** What gates it, from the default branch as it was when this was last decided. */
  readonly rules: Rules;
  /** Head of the merged pull request: what was found about it counts when its tree is the same. */
  readonly head: string | null;
  /** Whether it is; false until the mirror has told. */
  readonly headHasSameTree: boolean;
  /** Contexts of others that GitHub was asked about for this run: it is asked once. */
  readonly asked: readonly string[];
  /** A maintainer broke the glass: approval, freeze and checks do not hold it back. */
  readonly override: Override | null;
  /** For the task `rollback`: what is put back. */
  readonly rollback: PutBack | null;
  /** Environments after this one that did not want this commit, because no file of theirs had changed: decided once. */
  readonly unwanted: readonly string[];
  /** For the task `teardown`: what is taken away. */
  readonly teardown: Teardown | null;
}

/** A preview that nobody wants any more. */
export interface Teardown {
  /** A clause: "pull request #12 was closed". */
  readonly because: string;
  /** Every place that may hold something of it; more than one when `with` has changed from commit to commit. */
  readonly places: readonly Place[];
}

export interface Place {
  readonly target: string;
  /** Filled in. */
  readonly with: Options;
}

export interface Override {
  readonly by: string;
  readonly reason: string;
}

/** A release that was live. */
export interface PutBack {
  /** The run that had put it in place. */
  readonly run: number;
  readonly target: string;
  /** The target's own words for it. */
  readonly release: unknown;
}

const requireChecks: z.ZodType<RequireChecks> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("all") }),
  z.object({ kind: z.literal("none") }),
  z.object({ kind: z.literal("these"), names: z.array(z.string()) }),
]);
const approvals: z.ZodType<Approvals> = z.object({
  count: z.int(),
  users: z.array(z.string()),
  teams: z.array(z.string()),
});
const freeze: z.ZodType<Freeze> = z.object({
  days: z.array(z.enum(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])),
  from: z.int(),
  to: z.int(),
  timezone: z.string(),
  reason: z.string(),
});
const health: z.ZodType<Health> = z.object({ url: z.string(), within: z.number(), expect: z.string().nullable() });
const rollback = z.enum(["automatic", "manual"]);

// What has a default here was not yet known to the version that wrote the row.
const plan = z.object({
  trigger: z.enum(["merge", "push", "pull_request", "manual"]),
  branch: z.string().nullable(),
  after: z.string().nullable(),
  target: z.string(),
  with: z.record(z.string(), z.unknown()),
  build: z.string().nullable(),
  timeout: z.number(),
  url: z.string().nullable(),
  requireChecks,
  approvals: approvals.nullable().default(null),
  freeze: z.array(freeze).default([]),
  health: health.nullable().default(null),
  rollback: rollback.default("manual"),
  paths: z.array(z.string()).nullable().default(null),
  ttl: z.number().nullable().default(null),
  quota: z.int().default(20),
});

const rules = z.object({
  requireChecks: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("all") }),
    z.object({ kind: z.literal("none") }),
    z.object({ kind: z.literal("these"), names: z.array(z.string()), contexts: z.array(z.string()).default([]) }),
  ]),
  after: z.string().nullable(),
  approvals: approvals.nullable().default(null),
  freeze: z.array(freeze).default([]),
  rollback: rollback.default("manual"),
});

const schema: z.ZodType<DeploymentConfiguration> = z.object({
  plan,
  checks: z.array(z.string()),
  rules,
  head: z.string().nullable(),
  headHasSameTree: z.boolean().default(false),
  asked: z.array(z.string()).default([]),
  override: z.object({ by: z.string(), reason: z.string() }).nullable().default(null),
  rollback: z.object({ run: z.int(), target: z.string(), release: z.unknown() }).nullable().default(null),
  unwanted: z.array(z.string()).default([]),
  teardown: z
    .object({
      because: z.string(),
      places: z.array(z.object({ target: z.string(), with: z.record(z.string(), z.unknown()) })),
    })
    .nullable()
    .default(null),
});

/** Reads a deployment run's configuration; `null` for a run that ended before it had one. */
export function configurationOf(run: { readonly configuration: unknown }): DeploymentConfiguration | null {
  return schema.nullable().parse(run.configuration);
}

/**
 * Changes a run's configuration, from what it is within this transaction: others may have changed it since the run was read.
 * `null` when there is none to change.
 */
export async function reconfigure(
  tx: Transaction,
  run: number,
  change: (before: DeploymentConfiguration) => DeploymentConfiguration,
): Promise<DeploymentConfiguration | null> {
  const query = tx.db.selectFrom("run").select("configuration").where("id", "=", run);
  const row = await (tx.engine === "postgres" ? query.forUpdate() : query).executeTakeFirst();
  const before = row === undefined ? null : configurationOf({ configuration: JSON.parse(row.configuration) });
  if (before === null) return null;
  const after = change(before);
  const text = JSON.stringify(after);
  if (text !== row?.configuration) await tx.db.updateTable("run").set({ configuration: text }).where("id", "=", run).execute();
  return after;
}
