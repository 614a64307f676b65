import type { Approvals } from "../repository-file/repository-file.ts";
import type { CheckRun, Gate } from "../runs/run.ts";
import type { DeploymentConfiguration } from "./configuration.ts";
import { freezeAt } from "./freeze.ts";
import type { RequiredChecks } from "./rules.ts";

/** What our own database says about a deployment's commit and its environment, at one moment. */
export interface Facts {
  readonly now: Date;
  readonly sha: string;
  readonly environment: string;
  /** Check runs of the commit itself and of commits with the same tree. */
  readonly checks: readonly CheckRun[];
  /** What others said last: of the commit itself, and of the merged head when that has the same tree. */
  readonly contexts: readonly ContextFact[];
  /** The same commit has been deployed with success to the environment that `after` names. */
  readonly passedPrevious: boolean;
  readonly lock: Lock | null;
  /** Logins of those who said yes to this commit for this environment. */
  readonly approvedBy: readonly string[];
  /** Logins whose yes does not count: who wrote, pushed, merged or asked. */
  readonly involved: readonly string[];
}

export interface ContextFact {
  readonly sha: string;
  readonly context: string;
  readonly state: "passed" | "pending" | "failed";
}

/** Nothing starts in a locked environment. */
export interface Lock {
  readonly by: string;
  readonly reason: string;
  readonly since: Date;
}

type Configuration = Pick<DeploymentConfiguration, "checks" | "rules" | "override">;

/** The gates that are shut, in the order in which people think of them; none means that it may start. Fails closed. An override passes freeze, checks and approval. */
export function shutGates({ checks, rules, override }: Configuration, facts: Facts): readonly Gate[] {
  const always = [...lockGate(facts), ...previousGate(rules.after, facts)];
  if (override !== null) return always;
  return [
    ...always,
    ...freezeGate(rules.freeze, facts),
    ...checksGate(rules.requireChecks, checks, facts),
    ...approvalGate(rules.approvals, facts),
  ];
}

/** Whether people have said all the yes that the rules ask for. Where they ask for none, nobody has. */
export function isApproved({ rules, override }: Pick<Configuration, "rules" | "override">, facts: Facts): boolean {
  if (override !== null) return true;
  return rules.approvals !== null && missingApprovals(rules.approvals, facts) === 0;
}

function lockGate({ lock }: Facts): readonly Gate[] {
  return lock === null ? [] : [{ kind: "lock", ...lock }];
}

function previousGate(after: string | null, { passedPrevious }: Facts): readonly Gate[] {
  return after === null || passedPrevious ? [] : [{ kind: "previous", environment: after }];
}

function freezeGate(freezes: Configuration["rules"]["freeze"], { now }: Facts): readonly Gate[] {
  const frozen = freezeAt(freezes, now);
  if (frozen === null) return [];
  return [{ kind: "freeze", until: frozen.until, timezone: frozen.freeze.timezone, reason: frozen.freeze.reason }];
}

function approvalGate(approvals: Approvals | null, facts: Facts): readonly Gate[] {
  if (approvals === null) return [];
  const needed = missingApprovals(approvals, facts);
  const by = [...approvals.users, ...approvals.teams.map((team) => `team ${team}`)];
  return needed === 0 ? [] : [{ kind: "approval", needed, by, environment: facts.environment }];
}

/** Whoever is in a team was found out when he approved; where only people are named, they are compared once more. */
function missingApprovals({ count, users, teams }: Approvals, { approvedBy, involved }: Facts): number {
  const counted = new Set(approvedBy.map(lower).filter((login) => !involved.map(lower).includes(login)));
  const allowed = users.length > 0 && teams.length === 0 ? users.map(lower) : [...counted];
  return Math.max(0, count - allowed.filter((login) => counted.has(login)).length);
}

function checksGate(required: RequiredChecks, all: readonly string[], facts: Facts): readonly Gate[] {
  const needed = requiredChecks(required, all);
  if (needed === null) return [];
  const states = [
    ...needed.names.map((context) => ({ context, state: stateOf(context, facts) })),
    ...needed.contexts.map((context) => ({ context, state: stateOfContext(context, facts) })),
  ];
  const notGreen = states.flatMap(({ context, state }) => (state === "passed" ? [] : [{ context, state }]));
  return notGreen.length > 0 || states.length === 0 ? [{ kind: "checks", notGreen }] : [];
}

/** `null`: none is required. Empty lists are not that: a commit without checks waits. */
function requiredChecks(
  required: RequiredChecks,
  all: readonly string[],
): { readonly names: readonly string[]; readonly contexts: readonly string[] } | null {
  switch (required.kind) {
    case "none":
      return null;
    case "all":
      return { names: all, contexts: [] };
    case "these":
      return required;
  }
}

type State = "passed" | "missing" | "pending" | "failed";

/**
 * The commit's own run decides; without one, the best of those with the same tree, which had the same file and the same code. What
 * was broken off elsewhere has found nothing.
 */
function stateOf(name: string, { checks, sha }: Facts): State {
  const runs = checks.filter((run) => run.name === name && run.trust === "own");
  const own = runs.filter((run) => run.sha === sha);
  const states = (own.length > 0 ? own : runs.filter((run) => !wasBrokenOff(run))).map(stateOfRun);
  return (["passed", "pending", "failed"] as const).find((state) => states.includes(state)) ?? "missing";
}

function wasBrokenOff(run: CheckRun): boolean {
  return run.state === "finished" && run.outcome.kind === "cancelled";
}

function stateOfRun(run: CheckRun): State {
  if (run.state !== "finished") return "pending";
  return run.outcome.kind === "passed" ? "passed" : "failed";
}

/** GitHub's contexts know no capital letters. https://docs.github.com/en/rest/commits/statuses */
function stateOfContext(name: string, { contexts, sha }: Facts): State {
  const said = contexts.filter(({ context }) => lower(context) === lower(name));
  return (said.find((one) => one.sha === sha) ?? said[0])?.state ?? "missing";
}

function lower(text: string): string {
  return text.toLowerCase();
}
