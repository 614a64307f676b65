import type { Context } from "hono";
import type { Database } from "../../database/connection.ts";
import type { Actor } from "../../deeds/actor.ts";
import type { DeploymentMeans } from "../../deployments/means.ts";
import type { Repository } from "../../github/repository.ts";
import type { Settings } from "../../settings.ts";
import type { Assets } from "./assets.ts";
import type { Outside } from "./outside.ts";
import type { Rights } from "./rights.ts";
import type { Session, Sessions } from "./session.ts";

export interface DashboardOptions extends Omit<DeploymentMeans, "settings"> {
  readonly database: Database;
  readonly settings: Pick<
    Settings,
    "publicUrl" | "github" | "dashboardAuth" | "sandbox" | "contextPrefix" | "appId" | "publicLogs"
  >;
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
  readonly outside: Outside;
  /** Proves that a form is one of our pages, where nobody signs in. */
  readonly csrf: string;
}

/** What is known of a request by the time a page answers it. */
export interface Visit {
  Variables: {
    /** `null` for a stranger, and for everybody where nobody signs in. */
    session: Session | null;
    /** Only on the pages of a repository: the visitor may see it. */
    repository: Repository;
    /** The same: what the visitor may do there, as was heard within the last minutes. */
    role: Actor["role"];
  };
}

export type Request = Context<Visit>;
