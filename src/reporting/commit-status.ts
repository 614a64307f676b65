import type { CommitStatus } from "../github/statuses.ts";
import { deciding } from "../runs/deciding.ts";
import type { FileEdit, FileReading } from "../runs/readings.ts";
import type { CheckRun } from "../runs/run.ts";
import { durationInWords, sentenceOf, shorten } from "../runs/sentences.ts";

type Shown = Pick<CommitStatus, "state" | "description">;

/** What GitHub shows for one check. */
export function checkStatus(run: CheckRun): Shown {
  return { state: stateOf(run), description: sentenceOf(run) };
}

function stateOf(run: CheckRun): CommitStatus["state"] {
  if (run.state !== "finished") return "pending";
  switch (run.outcome.kind) {
    case "passed":
      return "success";
    case "failed":
      return "failure";
    case "errored":
    case "cancelled":
      return "error";
  }
}

/**
 * The one status to be made required: green when every check of the commit's file is, red as soon as one is. `null` when there
 * is nothing to say: a commit without checks turns nothing green.
 */
export function aggregateStatus(runs: readonly CheckRun[], reading: FileReading): Shown | null {
  switch (reading.kind) {
    case "mistakes":
      return { state: "error", description: ".github/signalbox.yml has mistakes: see the status of the file" };
    case "fine":
      return runs.length === 0 ? null : aggregateOf(deciding(runs));
  }
}

function aggregateOf(runs: readonly CheckRun[]): Shown {
  const inState = (state: CommitStatus["state"]) => runs.filter((run) => stateOf(run) === state);
  const names = (some: readonly CheckRun[]) => some.map((run) => run.name).join(", ");
  const [failed, errored, pending] = [inState("failure"), inState("error"), inState("pending")];
  if (failed.length > 0) return { state: "failure", description: shorten(`Failed: ${names(failed)}`, 140) };
  if (errored.length > 0) return { state: "error", description: shorten(`Ended without a result: ${names(errored)}`, 140) };
  const held = pending.find((run) => run.state === "waiting");
  if (held !== undefined) return { state: "pending", description: sentenceOf(held) };
  if (pending.length > 0)
    return {
      state: "pending",
      description: shorten(`${runs.length - pending.length} of ${runs.length} done; waiting for ${names(pending)}`, 140),
    };
  return {
    state: "success",
    description: `${runs.length === 1 ? "The only check" : `All ${runs.length} checks`} passed${tookAll(runs)}`,
  };
}

/** From the first start to the last end: how long a person waited, not how long the machines worked. */
function tookAll(runs: readonly CheckRun[]): string {
  const spans = runs.flatMap((run) =>
    run.state === "finished" && run.attempt !== null ? [{ from: run.attempt.startedAt, to: run.finishedAt }] : [],
  );
  if (spans.length === 0) return "";
  const from = Math.min(...spans.map((span) => span.from.getTime()));
  const to = Math.max(...spans.map((span) => span.to.getTime()));
  return ` in ${durationInWords(to - from)}`;
}

/** What GitHub shows for a commit's repository file; `null` for a file that never had a mistake and that nobody edits. */
export function fileStatus(reading: FileReading, saidBefore: boolean): Shown | null {
  switch (reading.kind) {
    case "mistakes":
      return mistaken(reading);
    case "fine":
      if (reading.edit !== undefined) return editStatus(reading.edit);
      return saidBefore ? { state: "success", description: ".github/signalbox.yml is right" } : null;
  }
}

function mistaken({ mistakes }: Extract<FileReading, { kind: "mistakes" }>): Shown {
  const [first, ...rest] = mistakes;
  return {
    state: "error",
    description: withMore(first === undefined ? "The file cannot be read" : inOneLine(first), rest.length),
  };
}

function editStatus(edit: FileEdit): Shown {
  if (edit.kind === "mistakes") return mistaken(edit);
  const [first, ...rest] = edit.sentences;
  const words = first === undefined ? "Nothing changes for deployments" : `When merged, ${first}`;
  return { state: "success", description: withMore(words, rest.length) };
}

/** The whole list is on the page. */
function withMore(words: string, more: number): string {
  const end = more === 0 ? "" : ` (and ${more} more)`;
  return `${shorten(words, 140 - end.length)}${end}`;
}

function inOneLine(mistake: { readonly path: string; readonly problem: string }): string {
  return mistake.path === "" ? mistake.problem : `${mistake.path}: ${mistake.problem}`;
}
