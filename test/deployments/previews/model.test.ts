import { describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { rememberHead } from "../../../src/checks/heads.ts";
import type { Database } from "../../../src/database/connection.ts";
import type { DeploymentMeans } from "../../../src/deployments/means.ts";
import { reconsiderPreviews } from "../../../src/deployments/previews/reconsider.ts";
import { watchPreviews } from "../../../src/deployments/previews/watch.ts";
import { mayStart } from "../../../src/deployments/reconsider.ts";
import { GitHubProblem } from "../../../src/github/problem.ts";
import { deploymentStatus } from "../../../src/reporting/deployment-status.ts";
import { previewsOf, runsOfPreview, takenDownBy } from "../../../src/runs/previews.ts";
import { claim, finish, reap } from "../../../src/runs/queue.ts";
import { findRun, liveRun } from "../../../src/runs/read.ts";
import type { Outcome, RunningRun } from "../../../src/runs/run.ts";
import { engines } from "../../support/engines.ts";
import { deploymentsOf, fileOf, meansWith, remember, repositoryWith, sha } from "../world.ts";

/** Seconds for each engine. More of them: MODEL_SECONDS=600 npm test -- test/deployments/previews */
const seconds = Number(process.env.MODEL_SECONDS ?? 10);
jest.setTimeout((seconds + 60) * 1_000);

const quota = 3;
const ttl = 60 * 60_000;
const withPreviews = fileOf(
  `environments: { preview: { trigger: pull_request, branch: main, require_checks: none, ttl: 1h, quota: ${quota}, target: command, with: { run: a, remove: { run: b } } } }`,
);
const without = fileOf("environments: { staging: { target: command, with: { run: a } } }");

const kinds = [
  "open",
  "open of a fork",
  "push",
  "push",
  "close",
  "merge",
  "reopen",
  "draft",
  "ready",
  "another base",
  "late event",
  "time passes",
  "file without",
  "file with",
  "think",
  "think",
  "think without GitHub",
  "go on",
  "go on",
  "go on",
  "end",
  "end",
  "end badly",
  "die",
] as const;

interface Step {
  readonly kind: (typeof kinds)[number];
  readonly a: number;
}

/** A pull request as it is at GitHub. */
interface PullRequest {
  readonly number: number;
  headSha: string;
  fork: boolean;
  state: "open" | "closed" | "merged";
  draft: boolean;
  baseRef: string;
  updatedAt: number;
  /** When a preview of it would begin anew. */
  activeAt: number;
}

class World {
  readonly pullRequests: PullRequest[] = [];
  readonly running: RunningRun[] = [];
  /** What lies on the disk: environment → commit. */
  readonly disk = new Map<string, string>();
  file = withPreviews;
  commits = 0;
  readonly database: Database;
  readonly clock: { now: number };
  readonly id: number;
  readonly started = { deploy: 0, teardown: 0 };

  constructor(database: Database, clock: { now: number }, id: number) {
    this.database = database;
    this.clock = clock;
    this.id = id;
  }

  means(): DeploymentMeans {
    return { ...meansWith(this.database, this.file), loadFile: async (_, ref) => this.load(ref) };
  }

  /** Every head has previews in its file. */
  private load(ref: string) {
    return { kind: "file" as const, file: ref === "main" ? this.file : withPreviews };
  }

  async think(means = this.means()): Promise<void> {
    await reconsiderPreviews(means, { ...watchPreviews(this.database, () => this.clock.now), mayAsk: () => false }, this.id);
  }

  async tell(pullRequest: PullRequest, at = pullRequest.updatedAt): Promise<void> {
    const { number, headSha, fork, state, draft, baseRef } = pullRequest;
    const head = {
      repository: this.id,
      number,
      headSha,
      headRef: "topic",
      baseRef,
      fork,
      state,
      draft,
      title: "t",
      author: "mira",
    };
    await this.database.write((tx) => rememberHead(tx, { ...head, updatedAt: new Date(at) }));
  }

  async change(pullRequest: PullRequest, values: Partial<PullRequest>): Promise<void> {
    const before = { ...pullRequest };
    Object.assign(pullRequest, values, { updatedAt: this.clock.now });
    const wasUp = before.state === "open" && !before.draft;
    const isUp = pullRequest.state === "open" && !pullRequest.draft;
    const isStirred = before.headSha !== pullRequest.headSha || before.baseRef !== pullRequest.baseRef || (!wasUp && isUp);
    if (isStirred) pullRequest.activeAt = this.clock.now;
    await this.tell(pullRequest);
  }

  async take({ kind, a }: Step): Promise<void> {
    this.clock.now += 1_000;
    const one = this.pullRequests[a % Math.max(1, this.pullRequests.length)];
    switch (kind) {
      case "open":
      case "open of a fork": {
        this.commits += 1;
        const now = this.clock.now;
        const about = {
          fork: kind === "open of a fork",
          state: "open" as const,
          draft: false,
          baseRef: "main",
          updatedAt: now,
          activeAt: now,
        };
        const opened = { number: this.pullRequests.length + 1, headSha: sha(this.commits), ...about };
        this.pullRequests.push(opened);
        return this.tell(opened);
      }
      case "push":
        this.commits += 1;
        return one?.state === "open" ? this.change(one, { headSha: sha(this.commits) }) : undefined;
      case "close":
        return one?.state === "open" ? this.change(one, { state: "closed" }) : undefined;
      case "merge":
        return one?.state === "open" ? this.change(one, { state: "merged" }) : undefined;
      case "reopen":
        return one?.state === "closed" ? this.change(one, { state: "open" }) : undefined;
      case "draft":
        return one?.state === "open" && !one.draft ? this.change(one, { draft: true }) : undefined;
      case "ready":
        return one?.state === "open" && one.draft ? this.change(one, { draft: false }) : undefined;
      case "another base":
        return one === undefined ? undefined : this.change(one, { baseRef: one.baseRef === "main" ? "next" : "main" });
      case "late event":
        return one === undefined ? undefined : this.tell({ ...one, headSha: sha(1), state: "open" }, one.updatedAt - 5_000);
      case "time passes":
        this.clock.now += (1 + (a % 50)) * 60_000;
        return;
      case "file without":
        this.file = without;
        return;
      case "file with":
        this.file = withPreviews;
        return;
      case "think":
        return this.think();
      case "think without GitHub": {
        const loadFile = async (_: unknown, ref: string) => {
          if (ref !== "main") throw new GitHubProblem("unavailable", "GitHub is down");
          return this.load(ref);
        };
        return this.think({ ...this.means(), loadFile }).catch((error) => expect(error).toBeInstanceOf(GitHubProblem));
      }
      case "go on":
        await this.think();
        return this.start();
      case "end":
        return this.end(a, { kind: "passed", live: { release: "r" } });
      case "end badly":
        return this.end(a, { kind: "failed", what: "a test" });
      case "die":
        await this.database.write((tx) => reap(tx, "all"));
        this.running.splice(0);
        return;
    }
  }

  async start(): Promise<void> {
    this.clock.now += 1;
    const run = await claim(this.database, "worker", mayStart);
    if (run === null) return;
    if (run.kind !== "deployment") throw new Error("only deployments are here");
    this.running.push(run);
    const others = this.running.filter((other) => other.kind === "deployment" && other.environment === run.environment);
    expect(others).toHaveLength(1);
    if (run.task === "teardown") {
      this.started.teardown += 1;
      return;
    }
    this.started.deploy += 1;
    // As far as we have heard: never of a fork, and only the head of an open one.
    const pullRequest = this.pullRequests.find(({ number }) => number === run.pullRequest);
    expect(pullRequest).toMatchObject({ fork: false, state: "open", headSha: run.sha });
    // What was there stays until the new one is whole, as every target promises; from now on something lies there in any case.
    if (!this.disk.has(run.environment)) this.disk.set(run.environment, run.sha);
  }

  async end(a: number, wanted: Outcome): Promise<void> {
    this.clock.now += 1;
    const run = this.running.splice(a % Math.max(1, this.running.length), 1)[0];
    if (run?.kind !== "deployment") return;
    const now = await this.database.read((db) => findRun(db, run.id));
    const stop = now?.state === "running" ? now.stop : null;
    const outcome: Outcome = stop === null ? wanted : { kind: "cancelled", because: stop };
    if (outcome.kind === "passed" && run.task === "teardown") this.disk.delete(run.environment);
    else if (outcome.kind === "passed") this.disk.set(run.environment, run.sha);
    const said: Outcome =
      run.task === "teardown" && outcome.kind === "passed" ? { kind: "passed", note: "Taken down: it" } : outcome;
    await this.database.write((tx) => finish(tx, { id: run.id, attempt: run.attempt.number, owner: "worker" }, said));
  }

  /** Lets everything come to its end; time goes on, because a tear-down that failed is repeated later. */
  async comeToRest(): Promise<void> {
    for (let round = 0; ; round += 1) {
      if (round > 300) throw new Error("it never comes to rest");
      const before = JSON.stringify(await deploymentsOf(this.database, this.id));
      await this.think();
      await this.start();
      while (this.running.length > 0) await this.end(0, { kind: "passed", live: { release: "r" } });
      if (before !== JSON.stringify(await deploymentsOf(this.database, this.id))) continue;
      const waits = await this.isWaitingToRepeat();
      if (!waits) return;
      this.clock.now += 6 * 3_600_000;
    }
  }

  private async isWaitingToRepeat(): Promise<boolean> {
    const wanted = new Set(this.expected().map(({ environment }) => environment));
    return [...this.disk.keys()].some((environment) => !wanted.has(environment));
  }

  /** The previews that should be there, by the contract and by nothing of ours. */
  expected(): readonly { readonly environment: string; readonly sha: string; readonly number: number }[] {
    if (this.file !== withPreviews) return [];
    const young = this.pullRequests.filter(
      ({ state, fork, draft, baseRef, activeAt }) =>
        state === "open" && !fork && !draft && baseRef === "main" && activeAt + ttl > this.clock.now,
    );
    return young
      .toSorted((a, b) => b.activeAt - a.activeAt || b.number - a.number)
      .slice(0, quota)
      .map(({ number, headSha }) => ({ environment: `preview-pr-${number}`, sha: headSha, number }));
  }

  async judge(): Promise<void> {
    const expected = this.expected();
    const runs = await deploymentsOf(this.database, this.id);
    expect(runs.filter(({ state }) => state !== "finished")).toEqual([]);
    const forks = new Set(this.pullRequests.filter(({ fork }) => fork).map(({ number }) => number));
    expect(runs.filter((run) => forks.has(run.pullRequest ?? 0))).toEqual([]);
    // On disk is what should be, but for what went wrong by itself.
    expect([...this.disk.keys()].filter((name) => !expected.some(({ environment }) => environment === name))).toEqual([]);
    for (const { environment, sha: commit, number } of expected) {
      const last = runs.findLast((run) => run.environment === environment && run.sha === commit && run.task === "deploy");
      const live = await this.database.read((db) => liveRun(db, this.id, environment));
      const shown = (await this.database.read((db) => previewsOf(db, this.id, number)))[0];
      // What failed is not tried again by itself, but what was only broken off is.
      expect(last?.state === "finished" ? last.outcome.kind : "missing").toMatch(/^(passed|failed|lost)$/);
      if (last?.state !== "finished" || last.outcome.kind !== "passed") continue;
      expect({ environment, live: live?.sha, disk: this.disk.get(environment), shown: shown?.live?.sha }).toEqual({
        environment,
        live: commit,
        disk: commit,
        shown: commit,
      });
    }
    // GitHub shows as live what is, and nothing else.
    const active: string[] = [];
    for (const run of runs.filter(({ task }) => task === "deploy")) {
      const [live, all] = await this.database.read(async (db) => [
        await liveRun(db, this.id, run.environment),
        await runsOfPreview(db, this.id, run.environment),
      ]);
      const status = deploymentStatus(run, live?.id === run.id, takenDownBy(run, all));
      if (status.state === "success") active.push(`${run.environment} ${run.sha}`);
      if (!this.disk.has(run.environment)) expect(["inactive"]).toContain(status.state);
    }
    const isLive = [...this.disk].filter(([environment, commit]) => active.includes(`${environment} ${commit}`));
    expect(active.toSorted()).toEqual(isLive.map(([environment, commit]) => `${environment} ${commit}`).toSorted());
  }
}

const sequences = fc.array(fc.record({ kind: fc.constantFrom(...kinds), a: fc.nat(99) }), {
  minLength: 5,
  maxLength: 80,
  size: "max",
});

const step = (kind: Step["kind"], a = 0): Step => ({ kind, a });
const story: readonly Step[] = [
  ...[
    step("open"),
    step("go on"),
    step("end"),
    step("open of a fork"),
    step("push"),
    step("go on"),
    step("close"),
    step("go on"),
  ],
  ...[step("end"), step("go on"), step("end badly"), step("reopen"), step("go on"), step("end")],
];

/** Closed before anything had begun, and opened again at once. */
const brokenOff: readonly Step[] = [step("open"), step("think"), step("close"), step("think"), step("reopen")];
/** Deployed, and the server dies while the next commit is: what was there is still shown. */
const lost: readonly Step[] = [step("open"), step("go on"), step("end"), step("push"), step("go on"), step("die")];
/** Closed while it was being deployed, and opened again before it was taken down. */
const backAgain: readonly Step[] = [
  step("open"),
  step("go on"),
  step("close"),
  step("think"),
  step("reopen"),
  step("think"),
  step("end"),
];

describe.each(engines())("whatever happens to pull requests on %s", (_name, storage) => {
  it("leaves exactly the previews of open ones, never of a fork, and GitHub shows the same", async () => {
    const clock = { now: Date.UTC(2026, 10, 20, 9) };
    const database = await storage.open({ clock: () => clock.now });
    const all = { deploy: 0, teardown: 0 };
    let id = 0;
    const property = fc.asyncProperty(fc.noBias(sequences), async (sequence) => {
      id += 1;
      const world = new World(database, clock, id);
      await remember(database, repositoryWith(id));
      try {
        for (const one of sequence) await world.take(one);
        await world.comeToRest();
        await world.judge();
      } finally {
        await database.write((tx) => tx.db.deleteFrom("run").where("repository", "=", id).execute());
      }
      all.deploy += world.started.deploy;
      all.teardown += world.started.teardown;
    });
    await fc.assert(property, {
      numRuns: 1_000_000,
      interruptAfterTimeLimit: seconds * 1_000,
      examples: [[story], [brokenOff], [lost], [backAgain]],
    });
    expect(all.deploy).toBeGreaterThan(id / 2);
    expect(all.teardown).toBeGreaterThan(0);
  });
});
