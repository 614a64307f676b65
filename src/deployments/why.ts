import type { Query } from "../database/connection.ts";
import { liveRun, unfinishedDeployments } from "../runs/read.ts";
import type { DeploymentRun, Gate } from "../runs/run.ts";
import { gateInWords, sentenceOf, short } from "../runs/sentences.ts";
import type { Lock } from "./gates.ts";
import { lockOf } from "./locks.ts";

/** What people ask who wait: what is live, what is on its way, and what would let it go on. */
export interface Why {
  readonly live: DeploymentRun | null;
  readonly lock: Lock | null;
  /** The newest first. */
  readonly onTheirWay: readonly OnItsWay[];
}

export interface OnItsWay {
  readonly run: DeploymentRun;
  readonly sentence: string;
  /** Empty for what does not wait. */
  readonly gates: readonly ExplainedGate[];
}

export interface ExplainedGate {
  readonly gate: Gate;
  /** Completes "Waiting for …". */
  readonly waitsFor: string;
  /** What a person can do about it, one sentence. */
  readonly opens: string;
}

/** Why an environment's deployments wait, as it was last decided. */
export async function why(db: Query, repository: number, environment: string): Promise<Why> {
  const unfinished = await unfinishedDeployments(db, { repository, environment });
  return {
    live: await liveRun(db, repository, environment),
    lock: await lockOf(db, { repository, environment }),
    onTheirWay: unfinished.toReversed().map(explainRun),
  };
}

/** Explains one deployment. */
export function explainRun(run: DeploymentRun): OnItsWay {
  const gates = run.state === "waiting" ? run.gates : [];
  return {
    run,
    sentence: sentenceOf(run),
    gates: gates.map((gate) => ({ gate, waitsFor: gateInWords(gate, run.sha), opens: whatOpens(gate, run) })),
  };
}

/** What opens a gate. */
export function whatOpens(gate: Gate, { environment, sha }: Pick<DeploymentRun, "environment" | "sha">): string {
  switch (gate.kind) {
    case "lock":
      return `Unlock it when its reason is over: /unlock ${environment}`;
    case "freeze":
      return gate.until === null
        ? "Change freeze in the default branch's .github/signalbox.yml, or break the glass"
        : `It opens by itself; a maintainer who cannot wait breaks the glass: /deploy ${environment} --override "reason"`;
    case "approval": {
      const who = gate.by.length === 0 ? "somebody with write permission" : gate.by.join(" or ");
      return `${gate.needed === 1 ? "One more yes" : `${gate.needed} more`} of ${who}, but not of who wrote, pushed, merged or asked: /approve ${environment} ${short(sha)}`;
    }
    case "checks":
      return whatTurnsGreen(gate);
    case "previous":
      return `It goes on when ${short(sha)} has been deployed to ${gate.environment} with success`;
    case "order":
      return "It is thought through in a moment, or when what runs there has ended";
    case "sandbox":
      return "The operator has to set up a sandbox";
  }
}

function whatTurnsGreen({ notGreen }: Extract<Gate, { kind: "checks" }>): string {
  if (notGreen.length === 0) return "Give the file a check, or write require_checks: none";
  const failed = notGreen.filter(({ state }) => state === "failed").map(({ context }) => context);
  if (failed.length > 0) return `Run again what failed (${failed.join(", ")}), or merge a commit that is green`;
  const missing = notGreen.filter(({ state }) => state === "missing").map(({ context }) => context);
  if (missing.length > 0) return `Nobody has reported ${missing.join(", ")} for this commit yet`;
  return "It goes on when they have passed";
}
