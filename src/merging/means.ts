import type { Logger } from "pino";
import type { Database } from "../database/connection.ts";
import type { GitHub } from "../github/github.ts";
import type { Repository } from "../github/repository.ts";
import type { Loaded } from "../repository-file/load.ts";

/** What this room needs of the world. */
export interface MergingMeans {
  readonly settings: { readonly contextPrefix: string; readonly appId: number };
  readonly database: Database;
  readonly github: GitHub;
  readonly log: Logger;
  /** The repository's file at a commit or branch. */
  loadFile(repository: Repository, ref: string): Promise<Loaded>;
}
