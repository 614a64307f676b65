/**
 * The heart: what a run is and which states it can be in.
 *
 *   waiting ──gates open──▶ queued ──claim──▶ running ──finish──▶ finished
 *      ▲                      │ ▲                │                   │
 *      └──gates shut again────┘ └────reap────────┘ (checks)          │
 *                               ▲                                    │
 *                               └──────────retry (checks)────────────┘
 *
 * A deployment that goes on elsewhere while nobody here holds it stays `running`, until the next worker adopts it.
 * A run that is cancelled while it runs stays `running`, and keeps its lane, until its work has stopped.
 */
export type Run = CheckRun | DeploymentRun;
export type CheckRun = Birth & Check & Progress<CheckGate, Outcome>;
export type DeploymentRun = Birth & Deployment & Progress<Gate, Outcome | Lost>;
export type RunningRun = Extract<Run, { state: "running" }>;

/** What a run is about. `cause` tells people why it exists; it is no key. */
export interface Birth {
  readonly id: number;
  readonly cause: Cause;
  readonly repository: number;
  readonly sha: string;
  /** `null` until the mirror has told it. */
  readonly tree: string | null;
  readonly ref: string | null;
  readonly pullRequest: number | null;
  readonly title: string | null;
  /** Login of who wrote the change. */
  readonly author: string | null;
  /** Login of who set it off: opened, pushed, merged or asked. */
  readonly person: string | null;
  /** What the repository's file asked for when the run was made; the room that executes it knows its shape. */
  readonly configuration: unknown;
  readonly createdAt: Date;
  readonly version: number;
}

export interface Check {
  readonly kind: "check";
  readonly name: string;
  readonly trust: Trust;
}

/** Whether a commit was pushed to the repository itself or comes from a fork. */
export type Trust = "own" | "fork";

export interface Deployment {
  readonly kind: "deployment";
  readonly task: Task;
  readonly environment: string;
  /** The environment of the file that this is a preview of; `null` for one that stands in the file itself. */
  readonly preview: string | null;
  /** Nobody asked for it by hand: it exists once per commit and environment. */
  readonly automatic: boolean;
  /** GitHub's id; `null` until GitHub has answered. */
  readonly github: number | null;
  /** The run that was live when the order was decided; `null` when nothing was. */
  readonly judgedAgainst: number | null;
}

export type Task = "deploy" | "rollback" | "teardown";

/** Each state carries only what is true in it. */
export type Progress<Gates, Ending> =
  | { readonly state: "waiting"; readonly gates: Some<Gates> }
  /** With `stop` it waits only for somebody to stop what an earlier attempt left working elsewhere. */
  | { readonly state: "queued"; readonly earlierAttempts: number; readonly stop?: Cancellation }
  | { readonly state: "running"; readonly attempt: Attempt; readonly stop: Cancellation | null; readonly remembered: unknown }
  | { readonly state: "finished"; readonly attempt: Attempt | null; readonly finishedAt: Date; readonly outcome: Ending };

/** Whether an unfinished run is to end as soon as nothing of it works any more. */
export function isBeingStopped(run: Run): boolean {
  return (run.state === "running" && run.stop !== null) || (run.state === "queued" && run.stop !== undefined);
}

export interface Attempt {
  readonly number: number;
  readonly startedAt: Date;
}

/** How a run ended. */
export type Outcome =
  /** `note` says it when nothing had to run. */
  | { readonly kind: "passed"; readonly note?: string; readonly live?: Live }
  /** News for the author. `switched`: a deployment's new release may be live all the same. */
  | { readonly kind: "failed"; readonly what: string; readonly exitCode?: number; readonly switched?: true }
  /** News for the operator. */
  | { readonly kind: "errored"; readonly what: string; readonly fix?: string }
  /** `switched` as of what failed. */
  | { readonly kind: "cancelled"; readonly because: Cancellation; readonly switched?: true };

/** The machine died under a deployment: nobody knows how far it came, so it is never repeated by itself. */
export interface Lost {
  readonly kind: "lost";
}

/** What a deployment put in place. */
export interface Live {
  /** The target's own words for what is live, handed back to it for a rollback. */
  readonly release: unknown;
  readonly url?: string;
}

export type Cancellation =
  | { readonly kind: "superseded"; readonly by: string }
  | { readonly kind: "closed"; readonly pullRequest: number }
  /** A preview that nobody wants any more; `why` is a clause such as "pull request #12 was closed". */
  | { readonly kind: "unwanted"; readonly why: string }
  | { readonly kind: "by hand"; readonly by: string; readonly reason?: string };

/** A shut gate, with the facts of the sentence that explains it. */
export type Gate = CheckGate | LockGate | FreezeGate | ChecksGate | PreviousGate | OrderGate;
/** What may hold a check back: only those of forks wait. */
export type CheckGate = ApprovalGate | SandboxGate;
export interface ApprovalGate {
  readonly kind: "approval";
  /** How many are still missing. */
  readonly needed: number;
  /** People and teams that may give one; empty: whoever may write. */
  readonly by: readonly string[];
  /** Where the commit is to go; missing for a check. */
  readonly environment?: string;
}
export interface LockGate {
  readonly kind: "lock";
  readonly by: string;
  readonly reason: string;
  readonly since: Date;
}
export interface FreezeGate {
  readonly kind: "freeze";
  /** When no freeze of the environment holds any more; `null` when there is no such moment. */
  readonly until: Date | null;
  /** In which people read that moment. */
  readonly timezone: string;
  /** Empty when the file gives none. */
  readonly reason: string;
}
/** Nothing isolates a fork's commands from the machine here. */
export interface SandboxGate {
  readonly kind: "sandbox";
}
export interface ChecksGate {
  readonly kind: "checks";
  /** Empty when the commit has no checks at all. */
  readonly notGreen: readonly { readonly context: string; readonly state: "missing" | "pending" | "failed" }[];
}
export interface PreviousGate {
  readonly kind: "previous";
  readonly environment: string;
}
/** It is not known yet where the commit stands among those that are live or wait. */
export interface OrderGate {
  readonly kind: "order";
}

/** `pull_request.opened 12` is receipt 12; `promotion 34` is run 34; a preview is there because pull request 56 is what it is. */
export type Cause =
  | { readonly kind: "pull_request"; readonly id: number }
  | { readonly kind: "receipt"; readonly id: number }
  | { readonly kind: "run"; readonly id: number }
  | { readonly kind: "deed"; readonly id: number };

export type Some<T> = readonly [T, ...T[]];

/** The lane of an environment: what at most one run may hold at a time. */
export function laneOf(repository: number, environment: string): string {
  return `${repository}/${environment}`;
}

/** The environment of the repository's file that says how and when this is deployed; secrets and locks are that one's. */
export function fileEnvironmentOf(run: Pick<Deployment, "environment" | "preview">): string {
  return run.preview ?? run.environment;
}

/** Whether the run has ended as its author hoped. */
export function hasPassed(run: Run): boolean {
  return run.state === "finished" && run.outcome.kind === "passed";
}
