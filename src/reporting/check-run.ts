import type { Annotation, CheckRunShown } from "../github/check-runs.ts";
import type { CommitStatus } from "../github/statuses.ts";
import type { LogAnnotation } from "../runs/annotations.ts";
import { deciding } from "../runs/deciding.ts";
import type { PastStep } from "../runs/read.ts";
import type { FileReading } from "../runs/readings.ts";
import type { CheckRun } from "../runs/run.ts";
import { durationInWords, sentenceOf } from "../runs/sentences.ts";
import { asCode } from "./markdown.ts";

export type Progress = Pick<CheckRunShown, "status" | "conclusion">;

/** How a check stands, in the words of a check run: those tell what waits from what works, and who was cancelled from who failed. */
export function progressOf(run: CheckRun, { state }: Pick<CommitStatus, "state">): Progress {
  if (run.state !== "finished") return { status: run.state === "running" ? "in_progress" : "queued" };
  if (run.outcome.kind === "cancelled") return { status: "completed", conclusion: "cancelled" };
  return progressOfState(state);
}

/** The same of what has no run of its own. */
export function progressOfState(state: CommitStatus["state"]): Progress {
  switch (state) {
    case "pending":
      return { status: "in_progress" };
    case "success":
      return { status: "completed", conclusion: "success" };
    case "failure":
    case "error":
      return { status: "completed", conclusion: "failure" };
  }
}

/** What a check did, step by step. Nothing in it that a stranger may have written is markup. */
export function summaryOfCheck(run: CheckRun, steps: readonly PastStep[], link: string): string {
  const lines = steps.slice(0, 100).map((step) => `- ${asCode(step.name)}${endOf(step)}`);
  return [asCode(sentenceOf(run)), ...(lines.length === 0 ? [] : [lines.join("\n")]), `[The log](${link})`].join("\n\n");
}

function endOf({ startedAt, finishedAt, exitCode }: PastStep): string {
  if (finishedAt === null) return "";
  const code = exitCode === null || exitCode === 0 ? "" : `, exited with ${exitCode}`;
  return `: ${durationInWords(finishedAt.getTime() - startedAt.getTime())}${code}`;
}

/** What the checks of a commit are, each with the way to its page. */
export function summaryOfCommit(description: string, runs: readonly CheckRun[], linkOf: (run: CheckRun) => string): string {
  const lines = deciding(runs).map((run) => `- [${asCode(run.name)}](${linkOf(run)}): ${asCode(sentenceOf(run))}`);
  return [asCode(description), ...(lines.length === 0 ? [] : [lines.join("\n")])].join("\n\n");
}

/** What is wrong in a repository's file, at its lines. */
export function annotationsOfFile(reading: FileReading): readonly Annotation[] {
  const wrong = reading.kind === "mistakes" ? reading : reading.edit;
  if (wrong?.kind !== "mistakes") return [];
  return wrong.mistakes.flatMap(({ line, path, problem }) => {
    const at = { path: ".github/signalbox.yml", start_line: line ?? 1, end_line: line ?? 1 };
    return [{ ...at, annotation_level: "failure", message: path === "" ? problem : `${path}: ${problem}` }];
  });
}

/** What tools said of places in the code. */
export function annotationOf({ level, message, file, line }: LogAnnotation): Annotation {
  return { path: file, start_line: line, end_line: line, annotation_level: level === "error" ? "failure" : level, message };
}
