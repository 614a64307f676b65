import { createDeploymentRun } from "../../../src/runs/births.ts";
import { claim, enqueue, finish } from "../../../src/runs/queue.ts";
import type { Outcome } from "../../../src/runs/run.ts";
import type { Dashboard } from "./dashboard.ts";
import { aCheck } from "./runs.ts";

const sha = "4be07d1".padEnd(40, "0");
const file = "environments: { staging: { trigger: merge, target: directory, with: { path: staging } } }";

/** A bit of everything in acme/shop: a failed check with a log, something live, something that waits, a lock, a pull request and a delivery. */
export async function aScene(
  dashboard: Dashboard,
  words = "Round half up",
): Promise<{ readonly run: number; readonly delivery: number }> {
  const { database, github } = dashboard;
  github.files.shop = { ".github/signalbox.yml": file };
  github.commits.shop = [
    { sha: "9".repeat(40), title: words, author: "mira" },
    { sha, title: words, author: "mira" },
  ];
  const delivery = await database.write(async ({ db, now }) => {
    const receipt = {
      guid: "a-guid",
      event: "push",
      action: null,
      repository: 1,
      body: '{"ref":"refs/heads/main"}',
      state: "handled" as const,
    };
    const row = await db
      .insertInto("receipt")
      .values({ ...receipt, received_at: now, finished_at: now + 12 })
      .returning("id")
      .executeTakeFirstOrThrow();
    const head = {
      repository: 1,
      number: 12,
      head_sha: sha,
      base_ref: "main",
      fork: 0,
      state: "open" as const,
      title: words,
      author: words,
    };
    await db
      .insertInto("pull_request_head")
      .values({ ...head, updated_at: now, heard_at: now })
      .execute();
    for (const environment of [null, "staging"]) {
      const entry = { at: now, repository: 1, environment, run: null, person: "mira", door: "page" as const, deed: "lock" };
      await db
        .insertInto("history")
        .values({ ...entry, reason: words, details: "{}" })
        .execute();
    }
    await db
      .insertInto("environment_lock")
      .values({ repository: 1, environment: "staging", person: "mira", reason: words, at: now })
      .execute();
    return row.id;
  });
  const older = await aCheck(database, { title: words });
  await older.start();
  await older.end({ kind: "passed" });
  await anEndedDeployment(dashboard, { commit: sha, title: words });
  await aDeployment(dashboard, { commit: "9".repeat(40), title: words });
  const run = await aCheck(database, { sha, title: words });
  await database.write(({ db }) =>
    db
      .updateTable("run")
      .set({ cause: `receipt ${delivery}` })
      .where("id", "=", run.id)
      .execute(),
  );
  await run.start();
  await run.step(words, 1);
  await run.print("▾ install", "one", "▴ install", "\u001b[31mError: two\u001b[0m", words);
  await run.end({ kind: "failed", what: words });
  await database.write(async ({ db, now }) => {
    const entry = {
      at: now,
      repository: 1,
      environment: null,
      run: run.id,
      person: "mira",
      door: "page" as const,
      deed: "retry",
    };
    await db
      .insertInto("history")
      .values({ ...entry, reason: words, details: "{}" })
      .execute();
  });
  return { run: run.id, delivery };
}

export interface DeploymentFacts {
  readonly environment?: string;
  readonly commit: string;
  readonly title: string;
}

/** A deployment of acme/shop that waits at a lock. */
export async function aDeployment({ database }: Dashboard, facts: DeploymentFacts): Promise<number> {
  const { environment = "staging", commit, title } = facts;
  const id = await database.write((tx) =>
    createDeploymentRun(tx, {
      cause: { kind: "receipt", id: 1 },
      repository: 1,
      sha: commit,
      ref: "main",
      pullRequest: 12,
      title,
      person: "jonas",
      configuration: null,
      environment,
      task: "deploy",
      automatic: true,
      github: null,
      start: { state: "waiting", gates: [{ kind: "lock", by: title, reason: title, since: new Date(0) }] },
    }),
  );
  if (id === null) throw new Error("the deployment exists already");
  return id;
}

/** One that has ended, by default well. */
export async function anEndedDeployment(
  dashboard: Dashboard,
  facts: DeploymentFacts,
  outcome: Outcome = { kind: "passed", live: { release: "1", url: "https://staging.example.com" } },
): Promise<number> {
  const { database } = dashboard;
  const id = await aDeployment(dashboard, facts);
  await database.write((tx) => enqueue(tx, id, null));
  await claim(database, "a worker", async () => "may start");
  dashboard.advance(1);
  await database.write((tx) => finish(tx, { id, owner: "a worker", attempt: 1 }, outcome));
  return id;
}
