import { z } from "zod";

/** A release that was live, as it is remembered for rollbacks and promotions. */
export const remembered = z.object({ app: z.string(), release: z.string(), version: z.int(), slug: z.string().nullable() });
export type Remembered = z.infer<typeof remembered>;

/**
 * How far a deployment has come. What creates something at Heroku is wanted first: after a crash we look for what was created before
 * anything is created again. `newest` is the app's newest release before that.
 */
export const handle = z.discriminatedUnion("step", [
  z.object({ step: z.literal("build wanted") }),
  z.object({ step: z.literal("building"), build: z.string() }),
  z.object({
    step: z.literal("promotion wanted"),
    newest: z.int(),
    pipeline: z.string(),
    target: z.string(),
    source: z.object({ app: z.string(), release: z.string(), slug: z.string() }),
  }),
  z.object({ step: z.literal("promoting"), promotion: z.string() }),
  z.object({ step: z.literal("rollback wanted"), newest: z.int(), to: remembered }),
  z.object({ step: z.literal("releasing"), release: z.string(), to: remembered.nullable() }),
]);
export type Handle = z.infer<typeof handle>;
