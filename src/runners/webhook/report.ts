import { z } from "zod";
import { readReportAs, reportShape } from "../../elsewhere/report.ts";

const report = z.strictObject(reportShape);

/** What another CI says of a check. */
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
