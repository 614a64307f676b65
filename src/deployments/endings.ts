import { sql } from "kysely";
import type { Query } from "../database/connection.ts";
import type { Lost, Outcome, Task } from "../runs/run.ts";

/** How a deployment ended, for those who count them. */
export interface Ending {
  readonly task: Task;
  readonly kind: (Outcome | Lost)["kind"];
  /** When somebody first wished for this commit anywhere: when it was merged. Epoch milliseconds, as the others. */
  readonly wishedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number;
}

const most = 5_000;

/** The deployments of an environment that ended since then, the oldest first; of very many the newest. */
export async function endingsSince(
  db: Query,
  { repository, environment }: { readonly repository: number; readonly environment: string },
  since: number,
): Promise<readonly Ending[]> {
  const { rows } = await sql<{ task: Task; kind: string; wished_at: number; started_at: number | null; finished_at: number }>`
    select task, substr(outcome, 10, 4) as kind, started_at, finished_at,
      coalesce((select min(w.created_at) from run w where w.repository = run.repository and w.sha = run.sha
        and w.kind = 'deployment' and w.automatic = 1), created_at) as wished_at
    from run
    where repository = ${repository} and name = ${environment} and kind = 'deployment' and state = 'finished' and finished_at >= ${since}
    order by finished_at desc limit ${most}`.execute(db);
  return rows.toReversed().map((row) => ({
    task: row.task,
    kind: kindOf(row.kind),
    wishedAt: row.wished_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  }));
}

/** An outcome's text begins with its kind. */
function kindOf(start: string): Ending["kind"] {
  const kinds = ["passed", "failed", "errored", "cancelled", "lost"] as const;
  const found = kinds.find((kind) => kind.startsWith(start));
  if (found === undefined) throw new Error(`"${start}" begins no outcome`);
  return found;
}
