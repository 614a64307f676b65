import { z } from "zod";
import type { EnvironmentPlan, RequireChecks } from "../repository-file/repository-file.ts";

/** What a deployment run carries. */
export interface DeploymentConfiguration {
  /** How to deploy, from the deployed commit's file. */
  readonly plan: EnvironmentPlan;
  /** The checks of the deployed commit's file. */
  readonly checks: readonly string[];
  /** What gates it, from the default branch as it was when this was last decided. */
  readonly rules: Rules;
  /** Head of the merged pull request: its checks count when its tree is the same. */
  readonly head: string | null;
}

export interface Rules {
  readonly requireChecks: RequireChecks;
  readonly after: string | null;
}

const requireChecks: z.ZodType<RequireChecks> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("all") }),
  z.object({ kind: z.literal("none") }),
  z.object({ kind: z.literal("these"), names: z.array(z.string()) }),
]);

const schema: z.ZodType<DeploymentConfiguration> = z.object({
  plan: z.object({
    trigger: z.enum(["merge", "push", "manual"]),
    branch: z.string().nullable(),
    after: z.string().nullable(),
    target: z.string(),
    with: z.record(z.string(), z.unknown()),
    build: z.string().nullable(),
    timeout: z.number(),
    url: z.string().nullable(),
    requireChecks,
  }),
  checks: z.array(z.string()),
  rules: z.object({ requireChecks, after: z.string().nullable() }),
  head: z.string().nullable(),
});

/** Reads a deployment run's configuration; `null` for a run that ended before it had one. */
export function configurationOf(run: { readonly configuration: unknown }): DeploymentConfiguration | null {
  return schema.nullable().parse(run.configuration);
}
