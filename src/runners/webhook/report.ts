import { z } from "zod";

const report = z.strictObject({
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
});

/** What another CI says of a check. */
export type Report = z.infer<typeof report>;

/** What is wrong with a report, so that it can be sent again; `null` when nothing is. */
export function problemWithReport(body: unknown): string | null {
  const read = readReport(body);
  return "problem" in read ? read.problem : null;
}

/** Reads a report, or says what is wrong with it. */
export function readReport(body: unknown): { readonly report: Report } | { readonly problem: string } {
  const parsed = report.safeParse(body);
  if (parsed.success) return { report: parsed.data };
  return {
    problem: parsed.error.issues
      .map(({ path, message }) => `${path.length === 0 ? "the body" : path.join(".")}: ${message}`)
      .join("; "),
  };
}
