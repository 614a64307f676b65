import { z } from "zod";
import type { Known } from "../../src/repository-file/schema.ts";

const directory = z.strictObject({
  path: z.string().min(1).describe("Where it goes."),
  from: z.string().optional().describe("A folder | of the checkout."),
  keep: z.int().min(1).max(50).prefault(5).describe("How many releases are kept."),
});

/** Runners and targets as the rest of the server could declare them. */
export const known: Known = {
  runners: new Map<string, z.ZodType>([["local", z.strictObject({ steps: z.array(z.string()) })]]),
  targets: new Map<string, z.ZodType>([
    ["directory", directory],
    ["command", z.strictObject({ run: z.string().min(1), secrets: z.array(z.string()).optional() })],
    ["ssh", z.strictObject({ host: z.string(), path: z.string(), key: z.string() })],
    ["heroku", z.strictObject({ app: z.string(), key: z.string() }).describe("Builds on Heroku.")],
  ]),
  previews: new Map<string, z.ZodType>([
    ["directory", directory],
    ["command", z.strictObject({ run: z.string().min(1), remove: z.strictObject({ run: z.string().min(1) }) })],
  ]),
  notifiers: new Map([
    ["slack", "A channel in Slack."],
    ["webhook", "Anything else."],
  ]),
  maxTimeout: 2 * 60 * 60_000,
};
