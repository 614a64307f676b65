import { z } from "zod";

/** What a report says of a check or of a deployment alike. */
export const reportShape = {
  result: z.enum(["passed", "failed"]),
  what: z.string().max(1_000).optional(),
  log: z.string().optional(),
  url: z
    .string()
    .max(1_000)
    .refine((given) => /^https?:\/\//i.test(given) && URL.canParse(given), {
      error: "must be an address that starts with https:// or http://",
    })
    .optional(),
} as const;

/** Reads a report, or says what is wrong with it. */
export function readReportAs<Report>(
  schema: z.ZodType<Report>,
  body: unknown,
): { readonly report: Report } | { readonly problem: string } {
  const parsed = schema.safeParse(body);
  if (parsed.success) return { report: parsed.data };
  return {
    problem: parsed.error.issues
      .map(({ path, message }) => `${path.length === 0 ? "the body" : path.join(".")}: ${message}`)
      .join("; "),
  };
}
