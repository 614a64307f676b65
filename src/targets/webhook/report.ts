import { z } from "zod";
import { readReportAs, reportShape } from "../../elsewhere/report.ts";

const report = z.strictObject({
  ...reportShape,
  release: z
    .unknown()
    .refine((given) => isShallow(given, 100), { error: "is nested more than 100 deep", abort: true })
    .refine((given) => (JSON.stringify(given) ?? "").length <= 10_000, { error: "is larger than 10 KB" })
    .optional(),
  live: z.enum(["unchanged", "unknown"]).optional(),
});

/** Whoever goes through what is nested deeper runs out of stack. */
function isShallow(given: unknown, most: number): boolean {
  if (typeof given !== "object" || given === null) return true;
  return most > 0 && Object.values(given).every((inner) => isShallow(inner, most - 1));
}

/** What a receiver says of a deployment. */
export type Report = z.infer<typeof report>;

/** What is wrong with a report, so that it can be sent again; `null` when nothing is. */
export function problemWithReport(body: unknown): string | null {
  const read = readReport(body);
  return "problem" in read ? read.problem : null;
}

/** Reads a report, or says what is wrong with it. */
export function readReport(body: unknown) {
  return readReportAs(report, body);
}
