import type { Attempt, Cancellation, Gate, Lost, Outcome, Run } from "./run.ts";

/** GitHub refuses more. https://docs.github.com/en/rest/commits/statuses#create-a-commit-status */
const longest = 140;

/** What a run is doing and why, or how it ended and how long that took, in at most 140 characters. */
export function sentenceOf(run: Run): string {
  return shorten(whole(run), longest);
}

function whole(run: Run): string {
  switch (run.state) {
    case "waiting":
      return `Waiting for ${run.gates.map((gate) => gateInWords(gate, run.sha)).join(", and for ")}`;
    case "queued":
      if (run.stop !== undefined) return `Stopping: ${cancellationInWords(run.stop)}`;
      return run.earlierAttempts === 0 ? "Queued" : `Queued again, attempt ${run.earlierAttempts + 1}`;
    case "running":
      return run.stop === null ? "Running" : `Stopping: ${cancellationInWords(run.stop)}`;
    case "finished":
      return outcomeInWords(run.outcome, run.attempt, run.finishedAt);
  }
}

export function outcomeInWords(outcome: Outcome | Lost, attempt: Attempt | null, finishedAt: Date): string {
  const took = attempt === null ? null : durationInWords(finishedAt.getTime() - attempt.startedAt.getTime());
  const after = took === null ? "" : ` after ${took}`;
  switch (outcome.kind) {
    case "passed":
      if (outcome.note !== undefined) return outcome.note;
      return took === null ? "Passed" : `Passed in ${took}`;
    case "failed":
      return `Failed: ${shorten(outcome.what, longest - "Failed: ".length - after.length)}${after}`;
    case "errored":
      return `Error: ${outcome.what}${outcome.fix === undefined ? "" : `. ${outcome.fix}`}`;
    case "cancelled":
      return `${cancellationInWords(outcome.because)}${outcome.switched === true ? ". It was under way: look what is live" : ""}`;
    case "lost":
      return "The server died during this deployment: look what is live, then deploy again";
  }
}

export function cancellationInWords(because: Cancellation): string {
  switch (because.kind) {
    case "superseded":
      return `Superseded by ${short(because.by)}`;
    case "closed":
      return `Cancelled: pull request #${because.pullRequest} was closed`;
    case "unwanted":
      return `Cancelled: ${because.why}`;
    case "by hand":
      return `Cancelled by ${because.by}${because.reason === undefined ? "" : `: ${because.reason}`}`;
  }
}

/** Completes "Waiting for …". */
export function gateInWords(gate: Gate, sha: string): string {
  switch (gate.kind) {
    case "approval":
      return approvalInWords(gate, sha);
    case "sandbox":
      return "the operator: this server has no sandbox (SANDBOX=none), so nothing of a fork runs here";
    case "lock":
      return `the lock of ${gate.by} since ${momentInWords(gate.since, "UTC")}: ${gate.reason}`;
    case "freeze":
      return freezeInWords(gate);
    case "checks":
      if (gate.notGreen.length === 0) return "checks: the commit has none";
      return `checks: ${gate.notGreen.map(({ context, state }) => `${context} ${stateInWords[state]}`).join(", ")}`;
    case "previous":
      return `${gate.environment}: the commit is not live there yet`;
    case "order":
      return "its place in the order of commits";
  }
}

/** The command says enough for one approval; more than that is said in words. */
function approvalInWords({ needed, by, environment }: Extract<Gate, { kind: "approval" }>, sha: string): string {
  const many = needed === 1 ? "approval" : `${needed} approvals`;
  const whose = by.length === 0 ? "" : ` by ${by.join(" or ")}`;
  return `${many}${whose}: /approve ${environment === undefined ? "" : `${environment} `}${short(sha)}`;
}

function freezeInWords({ until, timezone, reason }: Extract<Gate, { kind: "freeze" }>): string {
  const end = until === null ? ", which never ends" : ` until ${momentInWords(until, timezone)}`;
  return `the end of the freeze${end}${reason === "" ? "" : `: ${reason}`}`;
}

/** `Fri 27 Nov 16:00 (Europe/Berlin)`. */
export function momentInWords(moment: Date, timeZone: string): string {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  return `${format.format(moment).replaceAll(",", "")} (${timeZone})`;
}

const stateInWords = { missing: "has not started", pending: "is pending", failed: "failed" } as const;

/** `40 s`, `1 min 12 s`, `2 h 5 min`. */
export function durationInWords(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** The first digits of a commit, as people read and type them. */
export function short(sha: string): string {
  return sha.slice(0, 7);
}

/** Cuts by characters, not by halves of one, and shows that it did. */
export function shorten(text: string, most: number): string {
  const oneLine = text.replace(/\s+/g, " ").trim();
  const characters = Array.from(oneLine);
  return characters.length <= most ? oneLine : `${characters.slice(0, Math.max(0, most - 1)).join("")}…`;
}
