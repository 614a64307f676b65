import type { Database, DatabaseOptions } from "../../src/database/connection.ts";
import { rememberRepository } from "../../src/github/repository.ts";
import { createCheck, createDeploymentRun, type NewCheck, type NewDeployment } from "../../src/runs/births.ts";
import type { Hold } from "../../src/runs/changes.ts";
import { claim, finish, type MayStart } from "../../src/runs/queue.ts";
import { findRun } from "../../src/runs/read.ts";
import type { Lost, Outcome, Run, RunningRun } from "../../src/runs/run.ts";
import type { Storage } from "../support/engines.ts";

/** The repository of every run here. */
export const repository = {
  id: 7,
  installation: 2,
  owner: "acme",
  name: "shop",
  defaultBranch: "main",
  cloneUrl: "http://127.0.0.1/acme/shop.git",
  private: false,
};

/** A commit's full SHA from a digit or two. */
export const sha = (digits: string | number) => String(digits).padStart(40, "0");

export const newCheck = (more: Partial<NewCheck> = {}): NewCheck => ({
  cause: { kind: "receipt", id: 1 },
  repository: repository.id,
  sha: sha(1),
  ref: "feature",
  pullRequest: 12,
  title: "Add a cart",
  person: "octocat",
  configuration: { run: "npm test" },
  name: "test",
  trust: "own",
  start: { state: "queued" },
  ...more,
});

export const newDeployment = (more: Partial<NewDeployment> = {}): NewDeployment => ({
  cause: { kind: "receipt", id: 1 },
  repository: repository.id,
  sha: sha(1),
  ref: "main",
  pullRequest: 12,
  title: "Add a cart",
  person: "octocat",
  configuration: null,
  environment: "staging",
  task: "deploy",
  automatic: false,
  github: null,
  start: { state: "waiting", gates: [{ kind: "order" }] },
  ...more,
});

export const mayAlwaysStart: MayStart = async () => "may start";

/** A database with one repository, a clock that only the test moves, and short words for what happens to runs. */
export async function openScene(storage: Storage, options: Partial<DatabaseOptions> = {}) {
  let now = 1_790_000_000_000;
  const database = await storage.open({ clock: () => now, ...options });
  await database.write((tx) => rememberRepository(tx, repository));
  const openAllGates = () =>
    database.write(async (tx) => {
      await tx.db.updateTable("run").set({ state: "queued", gates: null }).where("state", "=", "waiting").execute();
      tx.ring("runs");
    });
  return {
    database,
    now: () => now,
    pass(milliseconds: number) {
      now += milliseconds;
    },
    async check(more: Partial<NewCheck> = {}): Promise<number> {
      return made(await database.write((tx) => createCheck(tx, newCheck(more))));
    },
    /** Waits. */
    async wish(more: Partial<NewDeployment> = {}): Promise<number> {
      return made(await database.write((tx) => createDeploymentRun(tx, newDeployment(more))));
    },
    /** Its gates are open already. */
    async deployment(more: Partial<NewDeployment> = {}): Promise<number> {
      const id = made(await database.write((tx) => createDeploymentRun(tx, newDeployment(more))));
      await openAllGates();
      return id;
    },
    claim: (owner = "worker", mayStart = mayAlwaysStart) => claim(database, owner, mayStart),
    finish: (hold: Hold, outcome: Outcome | Lost = { kind: "passed" }) => database.write((tx) => finish(tx, hold, outcome)),
    async run(id: number): Promise<Run> {
      const run = await database.read((db) => findRun(db, id));
      if (run === null) throw new Error(`There is no run ${id}`);
      return run;
    },
    /** How often GitHub must hear of a subject: rises with each change. */
    async wanted(subject: string): Promise<number> {
      const row = await database.read((db) =>
        db.selectFrom("report").select("wanted").where("subject", "=", subject).executeTakeFirst(),
      );
      return row?.wanted ?? 0;
    },
    async reconsiderWanted(): Promise<number> {
      const query = (db: Parameters<Parameters<Database["read"]>[0]>[0]) =>
        db.selectFrom("repository").select("reconsider_wanted").where("id", "=", repository.id).executeTakeFirstOrThrow();
      return (await database.read(query)).reconsider_wanted;
    },
  };
}

export const holdOf = (run: RunningRun, owner = "worker"): Hold => ({ id: run.id, attempt: run.attempt.number, owner });

/** The run, which must have been claimed. */
export function taken(run: RunningRun | null): RunningRun {
  if (run === null) throw new Error("Nothing was claimed");
  return run;
}

function made(id: number | null): number {
  if (id === null) throw new Error("The run existed already");
  return id;
}
