import type { PullRequestHead } from "../../checks/heads.ts";
import { sayDuration } from "../../repository-file/duration.ts";
import type { EnvironmentPlan } from "../../repository-file/repository-file.ts";
import { standing } from "../../runs/previews.ts";
import type { Cancellation, DeploymentRun } from "../../runs/run.ts";

/** What our own database says at one moment, and the default branch's file. */
export interface PreviewFacts {
  readonly now: Date;
  /** The environments with `trigger: pull_request`; `null` when nobody can read the file: then nothing new is wanted, and nothing given up for it. */
  readonly plans: ReadonlyMap<string, Pick<EnvironmentPlan, "branch" | "ttl" | "quota">> | null;
  readonly pullRequests: readonly KnownPullRequest[];
  readonly previews: readonly Preview[];
}

export interface KnownPullRequest extends Omit<PullRequestHead, "updatedAt"> {
  /** When its head last moved, or it was last opened. */
  readonly activeAt: Date;
}

/** A preview that may be there in whatever way. */
export interface Preview {
  readonly environment: string;
  readonly preview: string;
  readonly pullRequest: number;
  /** In the order they were made. */
  readonly runs: readonly DeploymentRun[];
}

export type PreviewDeed =
  | { readonly kind: "deploy"; readonly preview: string; readonly pullRequest: KnownPullRequest }
  | { readonly kind: "cancel"; readonly run: number; readonly because: Cancellation }
  | { readonly kind: "take down"; readonly of: Preview; readonly because: string }
  /** Nothing of it is left. */
  | { readonly kind: "forget"; readonly environment: string };

export interface PreviewDecision {
  readonly deeds: readonly PreviewDeed[];
  /** When time alone changes the decision; `null` when it never does. */
  readonly next: Date | null;
}

/**
 * What is to be done so that the previews become those that should be: the head of each open pull request of the repository itself, as many as
 * the quota allows, the ones pushed to last first. Decided from what is true now, never from what happened: events may be late, twice or lost.
 */
export function decidePreviews(facts: PreviewFacts): PreviewDecision {
  const names = new Set([...(facts.plans?.keys() ?? []), ...facts.previews.map(({ preview }) => preview)]);
  const decisions = [...names].flatMap((name) => decideOne(name, facts));
  const times = decisions.flatMap(({ next }) => (next === null ? [] : [next.getTime()]));
  return {
    deeds: decisions.flatMap(({ deeds }) => deeds),
    next: times.length === 0 ? null : new Date(Math.min(...times)),
  };
}

function decideOne(name: string, facts: PreviewFacts): readonly PreviewDecision[] {
  const there = facts.previews.filter(({ preview }) => preview === name);
  const byNumber = new Map(facts.pullRequests.map((one) => [one.number, one]));
  const plan = facts.plans?.get(name);
  const unwanted = new Map<number, string>();
  const candidates: KnownPullRequest[] = [];
  for (const number of new Set([...byNumber.keys(), ...there.map(({ pullRequest }) => pullRequest)])) {
    const why =
      whyOver(number, byNumber.get(number)) ??
      (facts.plans === null ? null : whyNotBy(name, plan, byNumber.get(number), facts.now));
    const pullRequest = byNumber.get(number);
    if (why !== null) unwanted.set(number, why);
    else if (pullRequest !== undefined && plan !== undefined) candidates.push(pullRequest);
  }
  const newestFirst = candidates.toSorted((a, b) => b.activeAt.getTime() - a.activeAt.getTime() || b.number - a.number);
  for (const { number } of newestFirst.slice(plan?.quota ?? 0))
    unwanted.set(number, `there is room for ${plan?.quota} previews, and others were pushed to since`);
  return [
    ...there.flatMap((one) => {
      const why = unwanted.get(one.pullRequest);
      return why === undefined ? [] : [giveUp(one, why, facts.now)];
    }),
    ...newestFirst.slice(0, plan?.quota ?? 0).map((pullRequest): PreviewDecision => {
      const before = there.find((one) => one.pullRequest === pullRequest.number);
      const ttl = plan?.ttl ?? null;
      return {
        deeds: bringUp(name, pullRequest, before),
        next: ttl === null ? null : new Date(pullRequest.activeAt.getTime() + ttl),
      };
    }),
  ];
}

/** Why a pull request has no previews, whatever the file says; `null` when it may have. */
function whyOver(number: number, pullRequest: KnownPullRequest | undefined): string | null {
  if (pullRequest === undefined) return `pull request #${number} is not known any more`;
  if (pullRequest.state !== "open") return `pull request #${number} was ${pullRequest.state}`;
  return pullRequest.fork ? `pull request #${number} comes from a fork` : null;
}

function whyNotBy(
  name: string,
  plan: Pick<EnvironmentPlan, "branch" | "ttl"> | undefined,
  pullRequest: KnownPullRequest | undefined,
  now: Date,
): string | null {
  if (plan === undefined) return `the default branch's file has no previews named ${name} any more`;
  if (pullRequest === undefined) return null;
  const { number, draft, baseRef, activeAt } = pullRequest;
  if (draft) return `pull request #${number} is a draft`;
  if (plan.branch !== null && plan.branch !== baseRef)
    return `pull request #${number} goes into ${baseRef}, not into ${plan.branch}`;
  const isOld = plan.ttl !== null && activeAt.getTime() + plan.ttl <= now.getTime();
  return isOld ? `nothing was pushed for ${sayDuration(plan.ttl)}` : null;
}

function bringUp(name: string, pullRequest: KnownPullRequest, before: Preview | undefined): readonly PreviewDeed[] {
  const sha = pullRequest.headSha;
  const runs = before?.runs ?? [];
  const overtaken = runs.filter(
    (run) => (run.state === "waiting" || run.state === "queued") && (run.task === "teardown" || run.sha !== sha),
  );
  const cancelled = new Set(overtaken.map(({ id }) => id));
  const last = runs.findLast((run) => !cancelled.has(run.id) && !isVoid(run));
  // However it ended: what failed is not tried again by itself.
  const isThere = last !== undefined && last.task === "deploy" && last.sha === sha;
  return [
    ...overtaken.map(({ id }) => ({ kind: "cancel" as const, run: id, because: { kind: "superseded" as const, by: sha } })),
    ...(isThere ? [] : [{ kind: "deploy" as const, preview: name, pullRequest }]),
  ];
}

function giveUp(preview: Preview, why: string, now: Date): PreviewDecision {
  const { environment, runs } = preview;
  const unfinished = runs.filter(({ state }) => state !== "finished");
  const deploying = unfinished.filter(({ task }) => task !== "teardown");
  const deeds: PreviewDeed[] = deploying.map(({ id }) => ({ kind: "cancel", run: id, because: { kind: "unwanted", why } }));
  const there = standing(runs);
  const latest = Math.max(0, ...there.map(({ id }) => id));
  const teardowns = runs.filter((run) => run.task === "teardown" && run.id > latest && !isVoid(run));
  if (there.length === 0) return { deeds: unfinished.length === 0 ? [{ kind: "forget", environment }] : deeds, next: null };
  if (teardowns.some(({ state }) => state !== "finished")) return { deeds, next: null };
  const again = whenAgain(teardowns);
  if (again !== null && again.getTime() > now.getTime()) return { deeds, next: again };
  return { deeds: [...deeds, { kind: "take down", of: preview, because: why }], next: null };
}

const minute = 60_000;
const longestPause = 6 * 60 * minute;

/** When a teardown that did not succeed is repeated: after a crash at once, else less and less often; `null` for now. */
function whenAgain(teardowns: readonly DeploymentRun[]): Date | null {
  const last = teardowns.at(-1);
  if (last?.state !== "finished") return null;
  if (last.outcome.kind === "lost" && teardowns.length === 1) return null;
  return new Date(last.finishedAt.getTime() + Math.min(longestPause, minute * 2 ** (teardowns.length - 1)));
}

/** Broken off, or being so, because it was not wanted then: it says nothing about what is wanted now. */
function isVoid(run: DeploymentRun): boolean {
  const because =
    run.state === "running"
      ? run.stop
      : run.state === "finished" && run.outcome.kind === "cancelled"
        ? run.outcome.because
        : null;
  return because !== null && because.kind !== "by hand";
}
