import type { CheckRun, Gate } from "../runs/run.ts";
import type { DeploymentConfiguration } from "./configuration.ts";

/** What our own database says about a deployment's commit. */
export interface Facts {
  /** Check runs of the commit itself and of commits with the same tree. */
  readonly checks: readonly CheckRun[];
  readonly sha: string;
  /** The same commit has been deployed with success to the environment that `after` names. */
  readonly passedPrevious: boolean;
}

/** The gates that are shut, in the order in which people think of them; none means that it may start. Fails closed. */
export function shutGates({ checks, rules }: Pick<DeploymentConfiguration, "checks" | "rules">, facts: Facts): readonly Gate[] {
  const gates: Gate[] = [];
  if (rules.after !== null && !facts.passedPrevious) gates.push({ kind: "previous", environment: rules.after });
  const required = requiredChecks(rules.requireChecks, checks);
  if (required === null) return gates;
  const notGreen = required.flatMap((name) => {
    const state = stateOf(name, facts);
    return state === "passed" ? [] : [{ context: name, state }];
  });
  if (notGreen.length > 0 || required.length === 0) gates.push({ kind: "checks", notGreen });
  return gates;
}

/** `null`: none is required. An empty list is not that: a commit without checks waits. */
function requiredChecks(
  required: DeploymentConfiguration["rules"]["requireChecks"],
  all: readonly string[],
): readonly string[] | null {
  switch (required.kind) {
    case "none":
      return null;
    case "all":
      return all;
    case "these":
      return required.names;
  }
}

/** The commit's own run decides; without one, the best of those with the same tree, which had the same file and the same code. */
function stateOf(name: string, { checks, sha }: Facts): "passed" | "missing" | "pending" | "failed" {
  const runs = checks.filter((run) => run.name === name && run.trust === "own");
  const own = runs.filter((run) => run.sha === sha);
  const states = (own.length > 0 ? own : runs).map(stateOfRun);
  return (["passed", "pending", "failed"] as const).find((state) => states.includes(state)) ?? "missing";
}

function stateOfRun(run: CheckRun): "passed" | "pending" | "failed" {
  if (run.state !== "finished") return "pending";
  return run.outcome.kind === "passed" ? "passed" : "failed";
}
