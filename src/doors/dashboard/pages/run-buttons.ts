import { html } from "hono/html";
import type { Repository } from "../../../github/repository.ts";
import type { Run } from "../../../runs/run.ts";
import { short } from "../../../runs/sentences.ts";
import { confirm, type Doer, type Question } from "./confirm.ts";
import type { Html } from "./html.ts";
import { pathOf } from "./layout.ts";
import { nameOf } from "./look.ts";

/** What may be done with a run now; a deployment that has ended leads to the questions of `then`. A run's own page brings it up to date. */
export function runButtons(repository: Repository, run: Run, doer: Doer | null, then: readonly Question[] = []): Html | "" {
  if (doer === null) return "";
  const questions = questionsFor(repository, run, then);
  return html`<div class="buttons" data-part="buttons">${questions.map((question) => confirm(doer, question))}</div>`;
}

function questionsFor(repository: Repository, run: Run, then: readonly Question[]): readonly Question[] {
  switch (run.state) {
    case "waiting": {
      const wantsApproval = run.gates.some(({ kind }) => kind === "approval");
      return [...(wantsApproval ? [approveQuestion(repository, run)] : []), cancelQuestion(repository, run)];
    }
    case "queued":
      return [cancelQuestion(repository, run)];
    case "running":
      return run.stop === null ? [cancelQuestion(repository, run)] : [];
    case "finished":
      return run.kind === "check" ? [againQuestion(repository, run)] : then;
  }
}

export function cancelQuestion(repository: Repository, run: Run): Question {
  const isRunning = run.state === "running";
  return {
    id: `cancel-${run.id}`,
    button: { words: "Cancel…", icon: "stop" },
    asks: `Cancel ${nameOf(run)}?`,
    says: isRunning
      ? `It is stopped where it is${run.kind === "deployment" ? ", and what it has put in place so far stays; the environment is free when its work has stopped" : ""}.`
      : "It ends before it has begun.",
    action: `${pathOf(repository)}/runs/${run.id}/cancel`,
    reason: "useful",
    does: "Cancel it",
    dangerous: isRunning,
  };
}

/** The commit is named in the form, so that it is the one that was looked at. */
export function approveQuestion(repository: Repository, run: Run): Question {
  const sha = short(run.sha);
  const what =
    run.kind === "check"
      ? html`The checks of this commit, which comes from a fork, run on this server: without network and secrets, but look at what changed first.`
      : html`${run.title === null ? "" : html`“${run.title}” `}may go to ${run.environment}. The yes holds for this commit only, and not for whoever wrote, pushed, merged or asked for it.`;
  return {
    id: `approve-${run.id}`,
    button: { words: "Approve…", icon: "approve", main: true },
    asks: run.kind === "check" ? `Run the checks of ${sha}?` : `Approve ${sha} for ${run.environment}?`,
    says: what,
    action: `${pathOf(repository)}/runs/${run.id}/approve`,
    hidden: { sha: run.sha },
    reason: "none",
    does: "Approve",
  };
}

function againQuestion(repository: Repository, run: Run): Question {
  return {
    id: `again-${run.id}`,
    button: { words: "Run again…", icon: "again" },
    asks: `Run ${nameOf(run)} again?`,
    says: html`A new attempt on the same commit, <span class="sha">${short(run.sha)}</span>. Its status on GitHub becomes pending; the log of this attempt stays.`,
    action: `${pathOf(repository)}/runs/${run.id}/again`,
    reason: "none",
    does: "Run again",
  };
}
