import { explainRun } from "../../../deployments/why.ts";
import type { Repository } from "../../../github/repository.ts";
import type { PastAttempt } from "../../../runs/read.ts";
import type { Run } from "../../../runs/run.ts";
import { gateInWords, sentenceOf } from "../../../runs/sentences.ts";
import type { House } from "../house.ts";
import { pathOf } from "../pages/layout.ts";
import { lookOf, newestAttempt } from "../pages/look.ts";
import type { StepNews } from "../run-news.ts";
import { newsTimes, siteOf } from "../run-news.ts";

/** A run, as machines read it; what stands in the repository's file is left out, because it may name what is private to it. */
export function runJson({ settings }: Pick<House, "settings">, repository: Repository, run: Run) {
  const { startedAt, finishedAt } = newsTimes(run);
  return {
    id: run.id,
    address: `${settings.publicUrl}${pathOf(repository)}/runs/${run.id}`,
    kind: run.kind,
    name: run.kind === "check" ? run.name : run.environment,
    task: run.kind === "check" ? null : run.task,
    state: lookOf(run),
    sentence: sentenceOf(run),
    gates: gatesOf(run),
    sha: run.sha,
    ref: run.ref,
    pull_request: run.pullRequest,
    title: run.title,
    author: run.author,
    person: run.person,
    fork: run.kind === "check" && run.trust === "fork",
    attempt: newestAttempt(run),
    environment_url: siteOf(run),
    created_at: run.createdAt,
    started_at: startedAt,
    finished_at: finishedAt,
  };
}

function gatesOf(run: Run): readonly { readonly kind: string; readonly waits_for: string; readonly opens: string | null }[] {
  if (run.state !== "waiting") return [];
  if (run.kind === "deployment")
    return explainRun(run).gates.map(({ gate, waitsFor, opens }) => ({ kind: gate.kind, waits_for: waitsFor, opens }));
  return run.gates.map((gate) => ({ kind: gate.kind, waits_for: gateInWords(gate, run.sha), opens: null }));
}

export function attemptJson({ number, startedAt, finishedAt, outcome, firstError }: PastAttempt) {
  return {
    number,
    state: outcome?.kind ?? null,
    started_at: startedAt,
    finished_at: finishedAt,
    first_error: firstError,
  };
}

export function stepJson({ number, name, look, startedAt, finishedAt, firstLine }: StepNews) {
  return { number, name, state: look, started_at: startedAt, finished_at: finishedAt, first_line: firstLine };
}
