import type { Database } from "../database/connection.ts";
import type { GitHub } from "../github/github.ts";
import type { Repository } from "../github/repository.ts";
import type { Loaded } from "../repository-file/load.ts";
import type { Settings } from "../settings.ts";

/** What the doctor may look at. */
export interface DoctorMeans {
  readonly settings: Pick<
    Settings,
    "github" | "publicUrl" | "dataDir" | "sandbox" | "role" | "databaseUrl" | "webhookProxyUrl" | "showChecksAs"
  >;
  readonly database: Database;
  readonly github: GitHub;
  loadFile(repository: Repository, ref: string): Promise<Loaded>;
}
