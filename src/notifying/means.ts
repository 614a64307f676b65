import type { Logger } from "pino";
import type { Database } from "../database/connection.ts";
import type { Repository } from "../github/repository.ts";
import type { AllowedAddress } from "../outbound/addresses.ts";
import type { Loaded } from "../repository-file/load.ts";

/** What this room needs of the world. */
export interface NotifyingMeans {
  readonly settings: { readonly publicUrl: string; readonly outboundAllow: readonly AllowedAddress[] };
  readonly database: Database;
  readonly log: Logger;
  /** The repository's file at a commit or branch. */
  loadFile(repository: Repository, ref: string): Promise<Loaded>;
  /** The secrets of a repository by name; `null` for one that is not set. */
  secretsFor(repository: Repository, environment: null): (name: string) => Promise<string | null>;
}
