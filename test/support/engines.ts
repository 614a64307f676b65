import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, it } from "@jest/globals";
import { type Database, type DatabaseOptions, type Engine, openDatabase } from "../../src/database/connection.ts";
import { type PostgresServer, postgresIsMissing, startPostgres } from "./postgres.ts";

/** Where one database is: what `openDatabase` takes. */
export type Place = Pick<DatabaseOptions, "url" | "folder">;

export interface Storage {
  readonly engine: Engine;
  /** A fresh, empty database, closed and removed after the test. Transactions that await something else than the database fail the test. */
  open(options?: Partial<DatabaseOptions>): Promise<Database>;
  /** A place for a database that the test opens itself: with `openAt`, or in a process of its own. */
  place(): Promise<Place>;
  /** Opens what is at that place, once more if it is open already; closed after the test. */
  openAt(place: Place, options?: Partial<DatabaseOptions>): Promise<Database>;
  /** The PostgreSQL server behind it; throws on SQLite. */
  server(): Promise<PostgresServer>;
}

/**
 * For suites that both engines must pass: `describe.each(engines())("the queue on %s", (_name, storage) => …)`.
 * Without PostgreSQL its half is skipped, and says why. One server serves a whole test file.
 */
export function engines(): [name: string, storage: Storage][] {
  const missing = postgresIsMissing();
  if (missing === null) {
    return [
      ["SQLite", useStorage("sqlite")],
      ["PostgreSQL", useStorage("postgres")],
    ];
  }
  describe.skip(`on PostgreSQL: skipped, because ${missing}`, () => it("runs the same tests", () => {}));
  return [["SQLite", useStorage("sqlite")]];
}

let running: Promise<PostgresServer> | null = null;
/** A database with all tables and nothing in them: copying it takes a fraction of the time. */
let template: Promise<string> | null = null;
afterAll(async () => (await running)?.stop());

function useStorage(engine: Engine): Storage {
  const opened: Database[] = [];
  const folders: string[] = [];
  const slow: Error[] = [];
  afterEach(async () => {
    const closed = await Promise.allSettled(opened.splice(0).map((database) => database.close()));
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
    const failed = closed.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    const [first] = [...slow.splice(0), ...failed];
    if (first !== undefined) throw first;
  });

  const server = () => {
    if (engine === "sqlite") throw new Error("SQLite has no server");
    running ??= startPostgres();
    return running;
  };
  const newFolder = () => {
    const folder = mkdtempSync(join(tmpdir(), "signalbox-database-"));
    folders.push(folder);
    return folder;
  };
  const place = async () => ({ folder: newFolder(), url: engine === "sqlite" ? null : await (await server()).createDatabase() });
  const placeWithTables = async () => {
    if (engine === "sqlite") return place();
    template ??= place().then(async ({ folder, url }) => {
      await (await openDatabase({ folder, url })).close();
      return url ?? "";
    });
    return { folder: newFolder(), url: await (await server()).createDatabase(await template) };
  };
  const openAt = async (where: Place, options: Partial<DatabaseOptions> = {}) => {
    const database = await openDatabase({ ...where, onSlowWrite: (error) => slow.push(error), ...options });
    opened.push(database);
    return database;
  };
  return { engine, server, place, openAt, open: async (options) => openAt(await placeWithTables(), options) };
}
