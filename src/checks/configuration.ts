import { z } from "zod";
import type { CheckPlan } from "../repository-file/repository-file.ts";

const schema: z.ZodType<CheckPlan> = z.object({
  runner: z.string(),
  with: z.record(z.string(), z.unknown()),
  steps: z.array(z.object({ name: z.string().nullable(), run: z.string() })),
  timeout: z.number(),
  paths: z.array(z.string()).nullable(),
  env: z.record(z.string(), z.string()),
  // Runs that an earlier version planned have none.
  cache: z.array(z.string()).default([]),
  image: z.string().nullable().default(null),
});

/** Reads a check run's configuration back. */
export function checkPlanOf(run: { readonly configuration: unknown }): CheckPlan {
  return schema.parse(run.configuration);
}
