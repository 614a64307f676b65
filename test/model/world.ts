import type { Database } from "../../src/database/connection.ts";
import { rememberRepository } from "../../src/github/repository.ts";
import { createCheck, createDeploymentRun } from "../../src/runs/births.ts";
import type { Hold } from "../../src/runs/changes.ts";
import { beat, cancel, claim, enqueue, finish, putBack, reap, retry } from "../../src/runs/queue.ts";
import { liveRun } from "../../src/runs/read.ts";
import { outcomeFromText, runFromRow } from "../../src/runs/rows.ts";
import type { Lost, Outcome } from "../../src/runs/run.ts";
import { newCheck, newDeployment, repository, sha } from "../runs/scene.ts";
import type { Place, Storage } from "../support/engines.ts";
import type { Answer, Model, ModelRun, Step } from "./model.ts";
import type { ModelReceipt } from "./receipts-model.ts";
import { ReceiptsWorld } from "./receipts-world.ts";

/** Does to a real database what the model does to plain values, and shows it in the model's words. */
export class World {
  readonly #storage: Storage;
  readonly #place: Place;
  #database: Database;
  readonly #webhooks: ReceiptsWorld;
  #now = 0;
  #runs: number[] = [];
  #holds: Hold[] = [];
  readonly #shut = new Set<string>();

  private constructor(storage: Storage, place: Place, database: Database, webhooks: ReceiptsWorld) {
    this.#storage = storage;
    this.#place = place;
    this.#database = database;
    this.#webhooks = webhooks;
  }

  static async open(storage: Storage): Promise<World> {
    const place = await storage.place();
    let world: World | null = null;
    const database = await storage.openAt(place, { clock: () => (world === null ? epoch : world.#time()) });
    world = new World(storage, place, database, await ReceiptsWorld.open(place.folder, database));
    await world.#database.write((tx) => rememberRepository(tx, repository));
    return world;
  }

  /** An empty world again, in the same database. */
  async clear(): Promise<void> {
    this.#now = 0;
    this.#runs = [];
    this.#holds = [];
    this.#shut.clear();
    await this.#webhooks.clear();
    await this.#database.write(async (tx) => {
      for (const table of ["run", "attempt", "report"] as const) await tx.db.deleteFrom(table).execute();
    });
  }

  async do(step: Step): Promise<Answer> {
    this.#now += 1;
    const database = this.#database;
    switch (step.kind) {
      case "wish for a check":
        return this.#made(await database.write((tx) => createCheck(tx, newCheck({ sha: sha(step.sha), name: step.name }))));
      case "wish for a deployment": {
        const { environment, automatic } = step;
        const wish = newDeployment({ sha: sha(step.sha), environment, automatic });
        return this.#made(await database.write((tx) => createDeploymentRun(tx, wish)));
      }
      case "open the gates":
        this.#shut.delete(step.environment);
        await database.write(async (tx) => {
          const rows = await tx.db.selectFrom("run").select(["id", "name"]).where("state", "=", "waiting").execute();
          for (const { id, name } of rows) if (name === step.environment) await enqueue(tx, id, null);
        });
        return null;
      case "shut the gates":
        this.#shut.add(step.environment);
        return null;
      case "claim": {
        const run = await claim(database, step.owner, async (_tx, candidate) =>
          candidate.kind === "deployment" && this.#shut.has(candidate.environment) ? [{ kind: "order" }] : "may start",
        );
        if (run === null) return null;
        this.#holds.push({ id: run.id, attempt: run.attempt.number, owner: step.owner });
        return this.#runs.indexOf(run.id);
      }
      case "beat": {
        const answer = await beat(database, this.#hold(step.hold));
        return typeof answer === "string" ? answer : wordOf({ kind: "cancelled", because: answer });
      }
      case "finish": {
        const outcome: Outcome = step.outcome === "passed" ? { kind: "passed" } : { kind: "failed", what: "npm test" };
        return database.write((tx) => finish(tx, this.#hold(step.hold), outcome));
      }
      case "put back":
        return database.write((tx) => putBack(tx, this.#hold(step.hold), tx.now + step.pause));
      case "cancel":
        await database.write((tx) => cancel(tx, this.#runs[step.run] ?? 0, { kind: "by hand", by: step.by }));
        return null;
      case "retry":
        return database.write((tx) => retry(tx, this.#runs[step.run] ?? 0, null));
      case "time passes":
        this.#now += step.milliseconds;
        return null;
      case "reap":
        return database.write((tx) => reap(tx, "expired"));
      case "restart":
        await this.#webhooks.close();
        await database.close();
        this.#database = await this.#storage.openAt(this.#place, { clock: () => this.#time() });
        await this.#webhooks.reopen(this.#database);
        return this.#database.write((tx) => reap(tx, "all"));
      case "receive":
      case "receive and die":
      case "claim receipts":
      case "extend leases":
      case "settle":
      case "try again later":
        return this.#webhooks.do(step);
    }
  }

  receipts(): Promise<readonly ModelReceipt[]> {
    return this.#webhooks.receipts(epoch);
  }

  /** Ends what the database's own end does not. */
  async close(): Promise<void> {
    await this.#webhooks.close();
  }

  /** All runs as they are in the database, in the order in which they were made. */
  async runs(): Promise<readonly ModelRun[]> {
    const { rows, reports, attempts } = await this.#database.read(async (db) => ({
      rows: await db.selectFrom("run").selectAll().orderBy("id").execute(),
      reports: await db.selectFrom("report").select(["subject", "wanted"]).execute(),
      attempts: await db.selectFrom("attempt").selectAll().orderBy("number").execute(),
    }));
    return rows.map((row) => {
      const run = runFromRow(row);
      const own = attempts.filter((attempt) => attempt.run === row.id);
      const numbers = own.map(({ number }) => number);
      if (numbers.some((number, index) => number !== index + 1) || row.attempt !== numbers.length)
        throw new Error(`Run ${row.id} is in its attempt ${row.attempt} and has had ${numbers.join()}`);
      return {
        kind: run.kind,
        sha: String(Number(run.sha)),
        name: row.name,
        automatic: run.kind === "deployment" && run.automatic,
        state: run.state,
        attempts: own.map((attempt) => ({
          isOver: attempt.finished_at !== null,
          outcome: wordOf(outcomeFromText(attempt.outcome)),
        })),
        notBefore: Math.max(0, row.not_before - epoch),
        owner: row.owner,
        leaseUntil: row.lease_until === null ? 0 : row.lease_until - epoch,
        stop: run.state === "running" && run.stop !== null ? wordOf({ kind: "cancelled", because: run.stop }) : null,
        outcome: run.state === "finished" ? wordOf(run.outcome) : null,
        finishedAt: run.state === "finished" ? run.finishedAt.getTime() - epoch : null,
        version: run.version,
        wanted: reports.find(({ subject }) => subject === `run ${row.id}`)?.wanted ?? 0,
      };
    });
  }

  async live(environment: string): Promise<number | null> {
    const run = await this.#database.read((db) => liveRun(db, repository.id, environment));
    return run === null ? null : this.#runs.indexOf(run.id);
  }

  #time(): number {
    return epoch + this.#now;
  }

  #made(id: number | null): number | null {
    return id === null ? null : this.#runs.push(id) - 1;
  }

  #hold(number: number): Hold {
    const hold = this.#holds[number];
    if (hold === undefined) throw new Error(`There is no hold ${number}`);
    return hold;
  }
}

/** What cannot differ: the reason to stop of a run that does not run any more is not looked at by anybody. */
export function visible(model: Model): readonly ModelRun[] {
  return model.runs.map((run) => (run.state === "running" ? run : { ...run, stop: null }));
}

const epoch = 1_790_000_000_000;

function wordOf(outcome: Outcome | Lost): string;
function wordOf(outcome: Outcome | Lost | null): string | null;
function wordOf(outcome: Outcome | Lost | null): string | null {
  if (outcome === null) return null;
  if (outcome.kind !== "cancelled") return outcome.kind;
  return outcome.because.kind === "by hand" ? outcome.because.by : outcome.because.kind;
}
