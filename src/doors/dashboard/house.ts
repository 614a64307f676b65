import type { Context } from "hono";
import type { Logger } from "pino";
import type { Database } from "../../database/connection.ts";
import type { GitHub } from "../../github/github.ts";
import type { Repository } from "../../github/repository.ts";
import type { Settings } from "../../settings.ts";
import type { Assets } from "./assets.ts";
import type { Rights } from "./rights.ts";
import type { Session, Sessions } from "./session.ts";

export interface DashboardOptions {
  readonly database: Database;
  readonly github: GitHub;
  readonly settings: Pick<Settings, "publicUrl" | "github" | "dashboardAuth">;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly clock?: () => number;
  /** Ends the streams that are open, so that the server can stop. */
  readonly stop?: AbortSignal;
}

/** What all pages share. */
export interface House extends Required<DashboardOptions> {
  readonly sessions: Sessions;
  readonly rights: Rights;
  readonly assets: Assets;
}

/** What is known of a request by the time a page answers it. */
export interface Visit {
  Variables: {
    /** `null` for a stranger, and for everybody where nobody signs in. */
    session: Session | null;
    /** Only on the pages of a repository: the visitor may see it. */
    repository: Repository;
  };
}

export type Request = Context<Visit>;
