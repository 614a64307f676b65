import { readFileSync } from "node:fs";
import { type Database, openDatabase } from "../../database/connection.ts";
import { findRepositoryByName, type Repository } from "../../github/repository.ts";
import { home } from "../../settings/read-values.ts";
import { loadEnvironment, readSettings, type Settings } from "../../settings.ts";
import { UsageError } from "./usage.ts";

/** What a command that works on the server's data is given. */
export interface Beside {
  readonly settings: Settings;
  readonly database: Database;
  /** Rejects with what to do when no event has told of such a repository yet. */
  find(fullName: string): Promise<Repository>;
}

/** Opens the server's data beside a running server, or without one, and closes it again. Transactions must be short: on SQLite the server waits for them. */
export async function besideServer<T>(work: (beside: Beside) => Promise<T>): Promise<T> {
  const read = readSettings(loadEnvironment(home, process.env), { read: (path) => readFileSync(path, "utf8") });
  if (read.kind !== "settings") {
    const why =
      read.kind === "problems" ? read.problems.join("\n  ") : "there is no App yet: npm start opens the page that makes one";
    throw new Error(`The server's settings are needed:\n  ${why}`);
  }
  const { settings } = read;
  const database = await openDatabase({ url: settings.databaseUrl, folder: settings.dataDir });
  try {
    return await work(beside(settings, database));
  } finally {
    await database.close();
  }
}

/** What a command works with, of what is open. */
export function beside(settings: Settings, database: Database): Beside {
  return {
    settings,
    database,
    async find(fullName) {
      const [owner = "", name = "", rest] = fullName.split("/");
      if (name === "" || rest !== undefined) throw new UsageError(`"${fullName}" is no repository; write OWNER/REPO`);
      const repository = await database.read((db) => findRepositoryByName(db, owner, name));
      if (repository !== null) return repository;
      throw new Error(`${fullName} is not known yet: install the App on it, and open a pull request or push a commit`);
    },
  };
}
