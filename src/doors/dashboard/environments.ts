import type { Query } from "../../database/connection.ts";
import { isMaintainer } from "../../deeds/actor.ts";
import { endingsSince } from "../../deployments/endings.ts";
import type { Lock } from "../../deployments/gates.ts";
import { lockOf } from "../../deployments/locks.ts";
import { type Numbers, numbersOf, sinceDays } from "../../deployments/numbers.ts";
import { releaseBefore } from "../../deployments/rollback.ts";
import { lastSwitched } from "../../deployments/standing.ts";
import { explainCommits, newerThan, type UndeployedCommit } from "../../deployments/undeployed.ts";
import type { Repository } from "../../github/repository.ts";
import type { Loaded } from "../../repository-file/load.ts";
import type { EnvironmentPlan } from "../../repository-file/repository-file.ts";
import { environmentNamesOf, liveRun, unfinishedDeployments } from "../../runs/read.ts";
import type { DeploymentRun } from "../../runs/run.ts";
import type { House, Request } from "./house.ts";
import { webAddress } from "./web-address.ts";

/** An environment as the pages show it. */
export interface EnvironmentState {
  readonly repository: Repository;
  readonly name: string;
  /** The default branch's; `null` for one that is not in its file (any more), or when the file is not known now. */
  readonly plan: EnvironmentPlan | null;
  /** Where people see it. */
  readonly url: string | null;
  readonly branch: string;
  /** `null` when it is not known now. */
  readonly head: string | null;
  readonly live: DeploymentRun | null;
  /** Oldest first. */
  readonly unfinished: readonly DeploymentRun[];
  /** One that ended badly since what is live went live, and may have left something behind. */
  readonly troubled: DeploymentRun | null;
  readonly lock: Lock | null;
  readonly rollbackTo: DeploymentRun | null;
  /** What is live where this environment comes after, and not here. */
  readonly promotable: DeploymentRun | null;
  readonly mayOverride: boolean;
  /** Of the last 14 days. */
  readonly numbers: Numbers;
  /** What the branch has and this has not, the newest first; `null` when that is not known now, not `complete` when there is more of it. */
  readonly behind: { readonly commits: readonly UndeployedCommit[]; readonly complete: boolean } | null;
}

const days = 14;

/** The environments of a repository: those of its file in their order, then others that something is live in. */
export async function environmentsOf(
  c: Request,
  house: House,
): Promise<{ readonly file: Loaded | null; readonly environments: readonly EnvironmentState[] }> {
  const repository = c.get("repository");
  const file = await house.outside.file(repository);
  const inFile = file?.kind === "file" ? Object.keys(file.file.environments).filter((name) => !isPattern(file, name)) : [];
  const seen = await house.database.read((db) => environmentNamesOf(db, repository.id));
  const environments: EnvironmentState[] = [];
  for (const name of inFile) environments.push(await environmentState(c, house, name, file));
  for (const name of seen.filter((name) => !inFile.includes(name))) {
    const live = await house.database.read((db) => liveRun(db, repository.id, name));
    if (live !== null) environments.push(await environmentState(c, house, name, file));
  }
  return { file, environments };
}

/** Previews stand in the file once, and are environments of other names. */
function isPattern(file: Extract<Loaded, { kind: "file" }>, name: string): boolean {
  const trigger: string | undefined = file.file.environments[name]?.trigger;
  return trigger === "pull_request";
}

/** All that is to be shown of one environment. */
export async function environmentState(c: Request, house: House, name: string, file: Loaded | null): Promise<EnvironmentState> {
  const { database, outside, clock } = house;
  const repository = c.get("repository");
  const plan = file?.kind === "file" ? (file.file.environments[name] ?? null) : null;
  const branch = plan?.branch ?? repository.defaultBranch;
  const commits = plan === null ? null : await outside.commits(repository, branch);
  const facts = await database.read((db) => factsOf(db, repository, name, plan, clock()));
  // Nobody deploys, nor rolls back, what the file does not name.
  const isNamed = plan !== null || file?.kind !== "file";
  const { newer, complete } = newerThan(commits ?? [], facts.live?.sha ?? null);
  const about = { repository: repository.id, environment: name };
  const behind =
    plan === null || commits === null
      ? null
      : { complete, commits: await database.read((db) => explainCommits(db, { ...about, plan }, newer)) };
  const mayOverride = isMaintainer({ role: c.get("role"), login: "", id: 0, door: "page" });
  return {
    repository,
    name,
    plan,
    url: urlOf(facts.live),
    branch,
    head: commits?.[0]?.sha ?? null,
    mayOverride,
    behind,
    ...facts,
    rollbackTo: isNamed ? facts.rollbackTo : null,
  };
}

async function factsOf(db: Query, repository: Repository, environment: string, plan: EnvironmentPlan | null, now: number) {
  const about = { repository: repository.id, environment };
  const live = await liveRun(db, repository.id, environment);
  const last = await lastSwitched(db, repository.id, environment);
  return {
    live,
    unfinished: await unfinishedDeployments(db, about),
    troubled: last === null || last.id === live?.id || last.outcome.kind === "passed" ? null : last,
    lock: await lockOf(db, about),
    rollbackTo: live === null ? null : await releaseBefore(db, repository, environment),
    promotable: await promotableTo(db, repository.id, plan, live),
    numbers: numbersOf(await endingsSince(db, about, sinceDays(now, days)), now, days),
  };
}

async function promotableTo(
  db: Query,
  repository: number,
  plan: EnvironmentPlan | null,
  live: DeploymentRun | null,
): Promise<DeploymentRun | null> {
  const before = plan?.after == null ? null : await liveRun(db, repository, plan.after);
  return before?.sha === live?.sha ? null : before;
}

/** The address comes from a repository's file, so nothing but a web address becomes a link. */
function urlOf(live: DeploymentRun | null): string | null {
  return live?.state === "finished" && live.outcome.kind === "passed" ? webAddress(live.outcome.live?.url) : null;
}
