import { join } from "node:path";
import type { Logger } from "pino";
import type { Database } from "./database/connection.ts";
import { readFile } from "./github/contents.ts";
import type { GitHub } from "./github/github.ts";
import type { Repository } from "./github/repository.ts";
import { knownWith, type Targets } from "./known.ts";
import type { GitSource, Mirrors } from "./process/checkout.ts";
import { type Loaded, loadRepositoryFile } from "./repository-file/load.ts";
import type { SecretKey } from "./secrets/key.ts";
import { readSecret } from "./secrets/store.ts";
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
  /** The secrets of a repository, or of one environment of it, by name; `null` for one that is not set. */
  secretsFor(repository: Repository, environment: string | null): (name: string) => Promise<string | null>;
  /** Absolute folders that a repository's deployments may write; the first is its own. */
  allowedPaths(repository: Repository): readonly [string, ...string[]];
}

interface Parts extends Pick<Services, "settings" | "log" | "database" | "github" | "mirrors"> {
  readonly key: SecretKey;
  /** Those that repositories' files may name; ours alone unless there are plug-ins. */
  readonly targets?: Targets;
}

/** Puts the services together from their parts; opens nothing. */
export function createServices({ key, targets, ...parts }: Parts): Services {
  const { settings, github, database } = parts;
  return {
    ...parts,
    loadFile: fileLoader({ maxTimeout: settings.maxTimeout, ...(targets === undefined ? {} : { targets }) }, github),
    gitSource: (repository) => ({
      id: repository.id,
      cloneUrl: repository.cloneUrl,
      token: () => github.contentsToken(repository.installation, repository.id),
    }),
    secretsFor: (repository, environment) => (name) =>
      database.read((db) => readSecret(db, key, { repository: repository.id, environment, name })),
    allowedPaths: ({ owner, name }) => [
      join(settings.dataDir, "sites", owner, name),
      ...settings.deployPaths.filter((path) => matchesRepository(path.repository, `${owner}/${name}`)).map((path) => path.folder),
    ],
  };
}

/** Reads repositories' files from GitHub. */
export function fileLoader(server: Parameters<typeof knownWith>[0], github: GitHub): Services["loadFile"] {
  const known = knownWith(server);
  return (repository, ref) =>
    loadRepositoryFile((path) => readFile(github.as(repository.installation), repository, path, ref), known);
}
