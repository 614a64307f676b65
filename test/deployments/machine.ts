import { expect } from "@jest/globals";
import fc from "fast-check";
import type { Database } from "../../src/database/connection.ts";
import { approveEnvironment } from "../../src/deployments/approvals.ts";
import { configurationOf } from "../../src/deployments/configuration.ts";
import { watchFreezes } from "../../src/deployments/freezes-that-end.ts";
import { lockEnvironment, lockOf, unlockEnvironment } from "../../src/deployments/locks.ts";
import type { DeploymentMeans } from "../../src/deployments/means.ts";
import { mayStart, reconsider } from "../../src/deployments/reconsider.ts";
import { rollBack } from "../../src/deployments/rollback.ts";
import { type Candidate, wish, wishAutomatic } from "../../src/deployments/wish.ts";
import { GitHubProblem } from "../../src/github/problem.ts";
import type { Repository } from "../../src/github/repository.ts";
import { deploymentStatus } from "../../src/reporting/deployment-status.ts";
import { cancel, claim, finish, reap } from "../../src/runs/queue.ts";
import { findRun, liveRun } from "../../src/runs/read.ts";
import { reconsidered, toReconsider } from "../../src/runs/reconsidering.ts";
import { type DeploymentRun, laneOf, type Outcome, type RunningRun } from "../../src/runs/run.ts";
import { deploymentsOf, fileOf, meansWith, numberOf, remember, repositoryWith, say, sha } from "./world.ts";

const file = fileOf(`
checks: { test: { run: a } }
environments:
  edge: { trigger: push, target: command, with: { run: a }, require_checks: none, rollback: automatic }
  staging: { trigger: merge, target: command, with: { run: a } }
  production:
    after: staging
    target: command
    with: { run: a }
    require_checks: [test, codecov/patch]
    approvals: { count: 2 }
    freeze: [{ from: "12:00", to: "13:00" }]
    rollback: automatic
`);
const environments = ["edge", "staging", "production"] as const;
const people = ["ada", "grace", "mira", "jonas"];

/** What happens next; the numbers choose among what there is to choose from. */
export interface Step {
  readonly kind: (typeof kinds)[number][0];
  readonly a: number;
  readonly b: number;
}

const kinds = [
  ["merge", 6],
  ["merge, heard of later", 2],
  ["hear", 2],
  ["think", 8],
  ["think without GitHub", 1],
  ["claim", 5],
  ["go on", 16],
  ["end", 14],
  ["cancel", 1],
  ["lock", 4],
  ["unlock", 5],
  ["approve", 8],
  ["ask", 2],
  ["break the glass", 1],
  ["roll back", 2],
  ["others say", 8],
  ["time passes", 4],
  ["die", 1],
  ["report", 3],
] as const;

const oneStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(...kinds.map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind) }))),
  a: fc.nat(999),
  b: fc.nat(999),
});

/** Most are short: what goes wrong does so within few steps, and more of them can be tried. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.oneof(
  { weight: 5, arbitrary: fc.array(oneStep, { minLength: 10, maxLength: 30, size: "max" }) },
  { weight: 1, arbitrary: fc.array(oneStep, { minLength: 30, maxLength: 100, size: "max" }) },
);

const none: Step = { kind: "think", a: 0, b: 0 };

/** What the test knows by itself, and compares with what starts. */
interface Memory {
  commits: number;
  readonly unheard: number[];
  readonly running: RunningRun[];
  readonly locked: Set<string>;
  readonly approvals: Map<string, Set<string>>;
  readonly said: Map<string, { readonly state: string; readonly at: number }>;
  readonly tested: Map<string, boolean>;
  readonly passed: Set<string>;
  /** What stands in an environment, and one that may stand there too. */
  readonly live: Map<string, string>;
  readonly broken: Map<string, string>;
  /** Environments that have to be rolled back before anything else is deployed. */
  readonly due: Set<string>;
  readonly overridden: Set<number>;
  readonly shown: Map<number, string>;
}

/** Plays one sequence in a repository of its own, then lets everything come to its end, and looks whether that is the right one. */
export async function play(database: Database, clock: { now: number }, id: number, sequence: readonly Step[]): Promise<Started> {
  const repository = repositoryWith(id);
  const means = meansWith(database, file);
  const memory: Memory = {
    commits: 0,
    unheard: [],
    running: [],
    locked: new Set(),
    approvals: new Map(),
    said: new Map(),
    tested: new Map(),
    passed: new Set(),
    live: new Map(),
    broken: new Map(),
    due: new Set(),
    overridden: new Set(),
    shown: new Map(),
  };
  const ringEnded = watchFreezes(database);
  const stage: Stage = { database, clock, repository, means, memory, ringEnded, started: { deploy: 0, rollback: 0, check: 0 } };
  await remember(database, repository);
  try {
    for (const step of sequence) await take(stage, step);
    await comeToRest(stage);
    await judgeTheEnd(stage);
  } finally {
    // What a sequence leaves behind when it is found wrong would be claimed by the next.
    await database.write(async (tx) => {
      const runs = tx.db.selectFrom("run").select("id").where("repository", "=", id);
      await tx.db.deleteFrom("attempt").where("run", "in", runs).execute();
      await tx.db.deleteFrom("run").where("repository", "=", id).execute();
      for (const table of ["report", "environment_lock", "approval", "commit_context", "history"] as const)
        await tx.db.deleteFrom(table).where("repository", "=", id).execute();
      await tx.db.deleteFrom("repository").where("id", "=", id).execute();
    });
  }
  return stage.started;
}

/** How many of each kind have started. */
export type Started = Record<"deploy" | "rollback" | "check", number>;

interface Stage {
  readonly database: Database;
  readonly clock: { now: number };
  readonly repository: Repository;
  readonly means: DeploymentMeans;
  readonly memory: Memory;
  /** As the dispatcher does before it looks: nothing else rings when a freeze ends. */
  readonly ringEnded: () => Promise<void>;
  readonly started: Started;
}

async function take(stage: Stage, step: Step): Promise<void> {
  const { database, clock, repository, means, memory } = stage;
  const place = { repository: repository.id, environment: chosen(environments, step.a) };
  clock.now += 1_000;
  switch (step.kind) {
    case "merge":
      memory.commits += 1;
      return hear(stage, memory.commits);
    case "merge, heard of later":
      memory.commits += 1;
      memory.unheard.push(memory.commits);
      return;
    case "hear": {
      // What was not heard yet, or what was heard already once more.
      const late = memory.unheard.splice(step.a % Math.max(1, memory.unheard.length), 1)[0];
      const again = memory.commits === 0 ? undefined : 1 + (step.b % memory.commits);
      const number = late ?? (again !== undefined && !memory.unheard.includes(again) ? again : undefined);
      return number === undefined ? undefined : hear(stage, number);
    }
    case "think":
      return think(stage);
    case "think without GitHub": {
      const down = async () => {
        throw new GitHubProblem("unavailable", "GitHub is down");
      };
      return think(stage, { ...means, loadFile: down }).catch((error) => expect(error).toBeInstanceOf(GitHubProblem));
    }
    case "claim":
      return start(stage);
    case "go on":
      await think(stage);
      return start(stage);
    case "end":
      return end(stage, step);
    case "cancel": {
      const open = (await deploymentsOf(database, repository.id)).filter(({ state }) => state !== "finished");
      const run = chosenOrNull(open, step.a);
      if (run !== null) await database.write((tx) => cancel(tx, run.id, { kind: "by hand", by: "mira" }));
      return;
    }
    case "lock":
      await database.write((tx) => lockEnvironment(tx, { ...place, by: "mira", reason: "a test" }));
      memory.locked.add(place.environment);
      return;
    case "unlock":
      await database.write((tx) => unlockEnvironment(tx, place));
      memory.locked.delete(place.environment);
      return;
    case "approve":
      return approve(stage, step);
    case "ask":
    case "break the glass":
      return ask(stage, step);
    case "roll back":
      return rollBackByHand(stage, place.environment);
    case "others say":
      return othersSay(stage, step);
    case "time passes":
      clock.now += (1 + (step.a % 40)) * 60_000;
      return;
    case "die":
      await database.write((tx) => reap(tx, "all"));
      for (const run of memory.running.splice(0)) await noteEnd(stage, run);
      return;
    case "report":
      return report(stage);
  }
}

function candidateOf({ repository }: Stage, number: number): Candidate {
  const cause = { kind: "receipt" as const, id: number };
  return {
    cause,
    repository,
    sha: sha(number),
    branch: "main",
    pullRequest: null,
    title: null,
    author: "author",
    person: "merger",
    head: null,
  };
}

/** The same commit is heard of by its merge and by its push. */
async function hear(stage: Stage, number: number): Promise<void> {
  await wishAutomatic(stage.means, candidateOf(stage, number), "merge");
  await wishAutomatic(stage.means, candidateOf(stage, number), "push");
}

/** Thinks when something has rung, as the dispatcher does, and looks that nobody's yes was passed over. */
async function think(stage: Stage, means = stage.means): Promise<void> {
  const { database, repository, memory } = stage;
  await stage.ringEnded();
  const due = (await database.read(toReconsider)).find((one) => one.repository === repository.id);
  if (due === undefined) return;
  const before = new Map((await deploymentsOf(database, repository.id)).map((run) => [run.id, run]));
  try {
    await reconsider(means, repository.id);
    await database.write((tx) => reconsidered(tx, repository.id, due.wanted));
  } finally {
    for (const run of await deploymentsOf(database, repository.id)) {
      if (run.task === "rollback" && !before.has(run.id)) {
        memory.locked.add(run.environment);
        memory.due.delete(run.environment);
      }
      const isNews = before.get(run.id)?.state !== "finished" && run.state === "finished";
      if (!isNews || run.outcome.kind !== "cancelled" || run.outcome.because.kind !== "superseded") continue;
      const { by } = run.outcome.because;
      if (!isApproved(stage, run)) continue;
      const others = [...before.values()].filter((other) => other.sha === by && other.environment === run.environment);
      const mayPass = others.some((other) => other.state === "running" || isApproved(stage, other) || other.sha === run.sha);
      const isThere = memory.live.get(run.environment) === by || memory.broken.get(run.environment) === by;
      expect({ run, by, mayPass: mayPass || isThere }).toEqual({ run, by, mayPass: true });
    }
  }
}

/** Claims whatever may start, and looks whether it may. */
async function start(stage: Stage): Promise<void> {
  const { database, clock, repository, memory } = stage;
  clock.now += 1;
  const run = await claim(database, "worker", mayStart);
  if (run === null) return;
  expect(run.repository).toBe(repository.id);
  memory.running.push(run);
  if (run.kind === "check") {
    stage.started.check += 1;
    return;
  }
  stage.started[run.task === "rollback" ? "rollback" : "deploy"] += 1;
  expect(whyNot(stage, run)).toEqual([]);
}

/** What is wrong with the start of a deployment, by what the test remembers. */
function whyNot({ memory, clock }: Stage, run: DeploymentRun): readonly string[] {
  const { environment, sha: commit, automatic } = run;
  const others = memory.running.filter((other) => other.id !== run.id && other.kind === "deployment");
  const lane = others.some((other) => other.kind === "deployment" && other.environment === environment) ? ["two in a lane"] : [];
  if (run.task === "rollback") return lane;
  const wrong: string[] = [...lane];
  const behind = (there: string | undefined) => automatic && there !== undefined && numberOf(commit) <= numberOf(there);
  if (behind(memory.live.get(environment)) || behind(memory.broken.get(environment))) wrong.push("behind what is live");
  if (memory.locked.has(environment)) wrong.push("locked");
  if (memory.due.has(environment)) wrong.push("to be rolled back");
  if (environment === "production" && !memory.passed.has(`staging ${commit}`)) wrong.push("not on staging");
  if (memory.overridden.has(run.id)) return wrong;
  if (environment !== "edge" && memory.tested.get(commit) !== true) wrong.push("not tested");
  if (environment !== "production") return wrong;
  if (memory.said.get(commit)?.state !== "passed") wrong.push("not covered");
  if (new Date(clock.now).getUTCHours() === 12) wrong.push("frozen");
  if (!hasApprovals(memory, run)) wrong.push("not approved");
  return wrong;
}

function hasApprovals(memory: Memory, run: DeploymentRun): boolean {
  return [...(memory.approvals.get(run.sha) ?? [])].filter((person) => person !== run.person).length >= 2;
}

function isApproved({ memory }: Stage, run: DeploymentRun): boolean {
  return memory.overridden.has(run.id) || (run.environment === "production" && hasApprovals(memory, run));
}

async function end(stage: Stage, { a, b }: Step): Promise<void> {
  const { database, clock, memory } = stage;
  // No two ends at one moment: which of them left what is live could not be told.
  clock.now += 1;
  const run = memory.running.splice(a % Math.max(1, memory.running.length), 1)[0];
  if (run === undefined) return;
  const now = await database.read((db) => findRun(db, run.id));
  const stopped = now?.state === "running" ? now.stop : null;
  const wasHandedOver = run.kind === "deployment" && b % 2 === 0 ? { switched: true as const } : {};
  const outcome = stopped !== null ? ({ kind: "cancelled", because: stopped, ...wasHandedOver } as const) : endingOf(run, b);
  await database.write((tx) => finish(tx, { id: run.id, attempt: run.attempt.number, owner: "worker" }, outcome));
  await noteEnd(stage, run);
}

const passed: Outcome = { kind: "passed", live: { release: "a release" } };
const endings: readonly Outcome[] = [
  ...Array<Outcome>(6).fill(passed),
  { kind: "failed", what: "after the switch", switched: true },
  { kind: "failed", what: "after the switch", switched: true },
  { kind: "failed", what: "before the switch" },
  { kind: "errored", what: "the disk is full" },
];

/** Checks pass more often: what fails there goes no further. */
function endingOf({ kind }: RunningRun, b: number): Outcome {
  if (kind === "check") return b % 10 === 9 ? { kind: "failed", what: "a test" } : passed;
  return endings[b % endings.length] ?? passed;
}

async function noteEnd({ database, memory }: Stage, { id }: RunningRun): Promise<void> {
  const run = await database.read((db) => findRun(db, id));
  if (run?.state !== "finished") return;
  if (run.kind === "check") {
    memory.tested.set(run.sha, run.outcome.kind === "passed");
    return;
  }
  const { environment, outcome } = run;
  const isBrokenOff = (outcome.kind === "failed" || outcome.kind === "cancelled") && outcome.switched === true;
  const mayHaveSwitched = outcome.kind === "lost" || isBrokenOff;
  if (outcome.kind === "passed") {
    memory.live.set(environment, run.sha);
    memory.passed.add(`${environment} ${run.sha}`);
  }
  if (mayHaveSwitched) memory.broken.set(environment, run.sha);
  else if (outcome.kind === "passed") memory.broken.delete(environment);
  if (outcome.kind !== "failed" || !mayHaveSwitched || run.task !== "deploy") return;
  const wantsRollback = environment !== "staging" && memory.live.has(environment);
  const isAnswered = (await deploymentsOf(database, run.repository)).some(
    (other) => other.environment === environment && other.task === "rollback" && other.id > run.id,
  );
  if (wantsRollback && !isAnswered) memory.due.add(environment);
}

async function approve(stage: Stage, { a, b }: Step): Promise<void> {
  const { database, repository, memory } = stage;
  const open = (await deploymentsOf(database, repository.id)).filter(
    (run) => run.environment === "production" && run.task === "deploy" && (run.state === "waiting" || run.state === "queued"),
  );
  const run = chosenOrNull(open, a);
  if (run === null) return;
  const logins = [...people, "author"];
  const login = chosen(logins, b);
  const order = {
    repository: repository.id,
    environment: "production",
    sha: run.sha,
    by: { id: 1 + logins.indexOf(login), login, teams: [] },
  };
  const answer = await database.write((tx) => approveEnvironment(tx, order));
  if (login === "author") expect(answer).toMatchObject({ kind: "refused", because: "not allowed" });
  if (answer.kind !== "approved") return;
  const before = memory.approvals.get(run.sha) ?? new Set();
  memory.approvals.set(run.sha, before.add(login));
}

/** By hand any commit may be asked for, also one that is live, or older. */
async function ask(stage: Stage, { kind, a, b }: Step): Promise<void> {
  const { means, memory } = stage;
  if (memory.commits === 0) return;
  const environment = chosen(environments, a);
  const override = kind === "break the glass" ? { by: "mira", reason: "the shop is down" } : null;
  const candidate = { ...candidateOf(stage, 1 + (b % memory.commits)), person: "jonas" };
  const [made] = await wish(means, candidate, {
    gating: file,
    environments: [environment],
    automatic: false,
    github: null,
    override,
  });
  if (made !== undefined && override !== null) memory.overridden.add(made);
}

async function rollBackByHand(stage: Stage, environment: string): Promise<void> {
  const { means, repository, memory } = stage;
  const cause = { kind: "deed" as const, id: 1 };
  const order = { repository, environment, by: "mira", reason: "it looks odd", cause };
  const answer = await rollBack(means, order, async () => {});
  if (answer.kind !== "started") return;
  memory.locked.add(environment);
  memory.due.delete(environment);
}

async function othersSay(stage: Stage, { a, b }: Step): Promise<void> {
  const { database, clock, repository, memory } = stage;
  if (memory.commits === 0) return;
  const commit = sha(1 + (a % memory.commits));
  const state = chosen(["passed", "passed", "passed", "pending", "failed"] as const, b);
  // Some arrive late, and say what was true before.
  const at = clock.now - (b % 4) * 1_500;
  const before = memory.said.get(commit);
  if (before === undefined || before.at <= at) memory.said.set(commit, { state, at });
  await say(database, repository.id, commit, state, at);
}

/** Says to nobody what the reporter would say to GitHub, of what was raised and of nothing else. */
async function report({ database, memory }: Stage): Promise<void> {
  const raised = await database.write((tx) =>
    tx.db
      .updateTable("report")
      .set((is) => ({ sent: is.ref("wanted") }))
      .whereRef("sent", "<", "wanted")
      .returning("subject")
      .execute(),
  );
  for (const { subject } of raised) {
    const id = /^run (\d+)$/.exec(subject)?.[1];
    const run = id === undefined ? null : await database.read((db) => findRun(db, Number(id)));
    if (run?.kind === "deployment") memory.shown.set(run.id, await shownNow(database, run));
  }
}

async function shownNow(database: Database, run: DeploymentRun): Promise<string> {
  const live = await database.read((db) => liveRun(db, run.repository, run.environment));
  return JSON.stringify(deploymentStatus(run, live?.id === run.id));
}

/** From here on everything goes well, and everybody says yes to what waits. */
async function comeToRest(stage: Stage): Promise<void> {
  const { database, clock, repository, memory } = stage;
  for (const number of memory.unheard.splice(0)) await hear(stage, number);
  for (let round = 0; round < 40; round += 1) {
    // Before the gates open, so that nothing but their own ring lets go what waits for them.
    await think(stage);
    if (new Date(clock.now).getUTCHours() === 12) clock.now += 3_600_000;
    for (const environment of environments.filter((name) => memory.locked.has(name)))
      await take(stage, { ...none, kind: "unlock", a: environments.indexOf(environment) });
    await think(stage);
    for (;;) {
      const before = memory.running.length;
      await start(stage);
      if (memory.running.length === before) break;
    }
    while (memory.running.length > 0) await end(stage, { ...none, kind: "end" });
    const open = (await deploymentsOf(database, repository.id)).filter(({ state }) => state !== "finished");
    for (const run of open.filter(({ environment }) => environment === "production")) {
      await othersSay(stage, { ...none, a: numberOf(run.sha) - 1 });
      for (const b of [0, 1, 2]) await approve(stage, { ...none, a: 0, b });
    }
    for (const run of open) await againWhereItFailed(stage, run);
    if (open.length === 0 && (await isQuiet(stage))) break;
  }
  await report(stage);
}

/** What failed by bad luck is merged again by nobody: its waiting deployments are given up. */
async function againWhereItFailed({ database, memory }: Stage, run: DeploymentRun): Promise<void> {
  const isStuck = run.environment !== "edge" && memory.tested.get(run.sha) === false;
  const waitsForStaging = run.environment === "production" && !memory.passed.has(`staging ${run.sha}`);
  if (isStuck || waitsForStaging) await database.write((tx) => cancel(tx, run.id, { kind: "by hand", by: "mira" }));
}

async function isQuiet({ database, repository }: Stage): Promise<boolean> {
  return !(await database.read(toReconsider)).some((one) => one.repository === repository.id);
}

async function judgeTheEnd({ database, repository, memory }: Stage): Promise<void> {
  const runs = await deploymentsOf(database, repository.id);
  expect(runs.filter(({ state }) => state !== "finished")).toEqual([]);
  for (const environment of environments) {
    const here = runs.filter((run) => run.environment === environment);
    const live = await database.read((db) => liveRun(db, repository.id, environment));
    expect(live?.sha).toBe(memory.live.get(environment));
    expect(await database.read((db) => lockOf(db, { repository: repository.id, environment }))).toBeNull();

    // The newest that was ever wished for is live, or a person or a failure kept it from being so.
    const newest = here.filter(({ task }) => task === "deploy").toSorted((a, b) => numberOf(b.sha) - numberOf(a.sha))[0];
    if (newest !== undefined && live?.sha !== newest.sha) {
      const ofItsCommit = here.filter((run) => run.sha === newest.sha);
      const wentWrong = ofItsCommit.some((run) => run.state === "finished" && endedBadly(run.outcome));
      const byHand = live !== null && !live.automatic;
      expect({ environment, newest, live, explained: wentWrong || byHand }).toMatchObject({ explained: true });
    }
    // What GitHub shows is what is.
    for (const run of here) expect(memory.shown.get(run.id)).toBe(await shownNow(database, run));
    const active = here.filter((run) => memory.shown.get(run.id)?.includes('"success"'));
    expect(active.map(({ id }) => id)).toEqual(live === null ? [] : [live.id]);
  }
  const promoted = runs.filter((run) => run.environment === "production" && run.automatic);
  for (const run of promoted) expect(memory.passed.has(`staging ${run.sha}`)).toBe(true);
  for (const run of runs) expect(run.state === "waiting" ? [] : [laneOf(repository.id, run.environment)]).not.toEqual([]);
  for (const run of runs.filter(({ task }) => task === "rollback")) expect(configurationOf(run)?.rollback).not.toBeNull();
}

function endedBadly(outcome: Extract<DeploymentRun, { state: "finished" }>["outcome"]): boolean {
  if (outcome.kind === "cancelled") return outcome.because.kind === "by hand";
  return outcome.kind !== "passed";
}

function chosen<T>(from: readonly [T, ...T[]] | readonly T[], number: number): T {
  const one = from[number % from.length];
  if (one === undefined) throw new Error("there is nothing to choose from");
  return one;
}

function chosenOrNull<T>(from: readonly T[], number: number): T | null {
  return from.length === 0 ? null : chosen(from, number);
}
