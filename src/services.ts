import { join } from "node:path";
import type { Logger } from "pino";
import type { Database } from "./database/connection.ts";
import { readFile } from "./github/contents.ts";
import type { GitHub } from "./github/github.ts";
import type { Repository } from "./github/repository.ts";
import { knownWith } from "./known.ts";
import type { GitSource, Mirrors } from "./process/checkout.ts";
import { type Loaded, loadRepositoryFile } from "./repository-file/load.ts";
import { matchesRepository } from "./settings/repository-pattern.ts";
import type { Settings } from "./settings.ts";

/** What handlers work with. */
export interface Services {
  readonly settings: Settings;
  readonly log: Logger;
  readonly database: Database;
  readonly github: GitHub;
  readonly mirrors: Mirrors;
  /** The repository's file at a commit or branch, checked. */
  loadFile(repository: Repository, ref: string): Promise<Loaded>;
  /** Where git finds a repository, and what it shows there. */
  gitSource(repository: Repository): GitSource;
  /** Absolute folders that a repository's deployments may write; the first is its own. */
  allowedPaths(repository: Repository): readonly [string, ...string[]];
}

/** Puts the services together from their parts; opens nothing. */
export function createServices(parts: Pick<Services, "settings" | "log" | "database" | "github" | "mirrors">): Services {
  const { settings, github } = parts;
  const known = knownWith(settings);
  return {
    ...parts,
    loadFile: (repository, ref) =>
      loadRepositoryFile((path) => readFile(github.as(repository.installation), repository, path, ref), known),
    gitSource: (repository) => ({
      id: repository.id,
      cloneUrl: repository.cloneUrl,
      token: () => github.contentsToken(repository.installation, repository.id),
    }),
    allowedPaths: ({ owner, name }) => [
      join(settings.dataDir, "sites", owner, name),
      ...settings.deployPaths.filter((path) => matchesRepository(path.repository, `${owner}/${name}`)).map((path) => path.folder),
    ],
  };
}
