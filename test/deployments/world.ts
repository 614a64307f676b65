import { pino } from "pino";
import type { Database } from "../../src/database/connection.ts";
import { rememberContext } from "../../src/deployments/contexts.ts";
import type { DeploymentMeans } from "../../src/deployments/means.ts";
import type { GitHub } from "../../src/github/github.ts";
import { GitHubProblem } from "../../src/github/problem.ts";
import { type Repository, rememberRepository } from "../../src/github/repository.ts";
import type { Mirrors } from "../../src/process/checkout.ts";
import { parseRepositoryFile } from "../../src/repository-file/parse.ts";
import type { RepositoryFile } from "../../src/repository-file/repository-file.ts";
import { runFromRow } from "../../src/runs/rows.ts";
import type { DeploymentRun } from "../../src/runs/run.ts";
import { known } from "../repository-file/known.ts";

/** The sha of the commit with that number on `main`, whose history is a line. */
export const sha = (number: number) => number.toString(16).padStart(8, "0").repeat(5);

/** The number again. */
export const numberOf = (commit: string) => Number.parseInt(commit.slice(0, 8), 16);

/** A repository's file; throws its mistakes. */
export function fileOf(yaml: string): RepositoryFile {
  const parsed = parseRepositoryFile(yaml, known);
  if (parsed.kind === "mistakes") throw new Error(JSON.stringify(parsed.mistakes));
  return parsed.file;
}

export function repositoryWith(id: number): Repository {
  return {
    id,
    installation: 2,
    owner: "acme",
    name: `shop-${id}`,
    defaultBranch: "main",
    cloneUrl: "http://127.0.0.1/acme/shop.git",
    private: false,
  };
}

/** The means of the room with real decisions and a real database; history is a line of numbers, and GitHub tells nothing. */
export function meansWith(database: Database, file: RepositoryFile): DeploymentMeans {
  return {
    settings: { contextPrefix: "signalbox", appId: 1 },
    database,
    github: silentGitHub,
    mirrors: lineOfCommits,
    log: pino({ level: "silent" }),
    loadFile: async () => ({ kind: "file", file }),
    gitSource: ({ id, cloneUrl }) => ({ id, cloneUrl, token: async () => null }),
  };
}

/** All that was ever wished for in a repository, in the order it was made. */
export async function deploymentsOf(database: Database, repository: number): Promise<readonly DeploymentRun[]> {
  const rows = await database.read((db) =>
    db
      .selectFrom("run")
      .selectAll()
      .where("repository", "=", repository)
      .where("kind", "=", "deployment")
      .orderBy("id")
      .execute(),
  );
  return rows.map(runFromRow).filter((run) => run.kind === "deployment");
}

export async function remember(database: Database, repository: Repository): Promise<void> {
  await database.write((tx) => rememberRepository(tx, repository));
}

/** Somebody else's status of a commit. */
export async function say(
  database: Database,
  repository: number,
  commit: string,
  state: "passed" | "pending" | "failed",
  updatedAt: number,
): Promise<void> {
  const said = { context: "codecov/patch", state, updatedAt: new Date(updatedAt), app: null };
  await database.write((tx) => rememberContext(tx, { repository, sha: commit }, said));
}

const lineOfCommits: Mirrors = {
  fetch: async () => {},
  learn: async () => {},
  release: async () => {},
  treeOf: async (_, commit) => commit,
  isAncestor: async (_, ancestor, descendant) => numberOf(ancestor) <= numberOf(descendant),
  changedFiles: async () => ["README.md"],
  checkOut: async () => {
    throw new Error("nothing is checked out here");
  },
  tidyAll: async () => {},
  prefetch: () => {},
  stop: async () => {},
};

const silentGitHub: GitHub = {
  as: () => {
    throw new GitHubProblem("forbidden", "nothing is asked of GitHub here");
  },
  asApp: async () => {
    throw new GitHubProblem("forbidden", "nothing is asked of GitHub here");
  },
  contentsToken: async () => "",
  app: async () => ({ owner: "acme", bot: "signalbox[bot]" }),
};
