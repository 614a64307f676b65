import type {
  Birth,
  Check,
  CheckGate,
  CheckRun,
  Deployment,
  DeploymentRun,
  Gate,
  Lost,
  Outcome,
  Progress,
} from "../../src/runs/run.ts";

/** Runs as plain values, for what is decided without a database. */

const birth: Birth = {
  id: 12,
  cause: { kind: "receipt", id: 1 },
  repository: 7,
  sha: "4be07d1f05f5ce03dbbb7bcf72e68ab3a567f7ca",
  tree: null,
  ref: "main",
  pullRequest: 3,
  title: "Add a cart",
  author: "mira",
  person: "octocat",
  configuration: null,
  createdAt: new Date("2026-11-22T11:59:00Z"),
  version: 1,
};

export const startedAt = new Date("2026-11-22T12:00:00Z");

type About<Kind> = Partial<Birth & Kind>;

export function checkRun(state: Progress<CheckGate, Outcome>, about: About<Check> = {}): CheckRun {
  return { ...birth, kind: "check", name: "test", trust: "own", ...about, ...state };
}

export function deploymentRun(state: Progress<Gate, Outcome | Lost>, about: About<Deployment> = {}): DeploymentRun {
  const deployment = {
    task: "deploy",
    environment: "staging",
    preview: null,
    automatic: true,
    github: 99,
    judgedAgainst: null,
  } as const;
  return { ...birth, kind: "deployment", ...deployment, ...about, ...state };
}

export const queued = { state: "queued", earlierAttempts: 0 } as const;
export const running = { state: "running", attempt: { number: 1, startedAt }, stop: null, remembered: null } as const;

/** Ended with this outcome; `seconds` after its start, or without one. */
export function ended<Ending = Outcome>(outcome: Ending, seconds: number | null = 40) {
  const attempt = seconds === null ? null : { number: 1, startedAt };
  return { state: "finished" as const, attempt, finishedAt: new Date(startedAt.getTime() + (seconds ?? 0) * 1_000), outcome };
}
