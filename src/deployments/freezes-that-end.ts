import type { Database, Query } from "../database/connection.ts";
import { wantReconsidering } from "../runs/reconsidering.ts";
import { runFromRow } from "../runs/rows.ts";
import type { DeploymentRun } from "../runs/run.ts";

/**
 * Nothing rings when a freeze ends: each call has those repositories thought through whose waiting deployments were told a moment that is over
 * by the database's clock. Each moment rings once, so that what cannot be decided then does not ring for ever.
 */
export function watchFreezes(database: Database): () => Promise<void> {
  const rung = new Set<string>();
  return async () => {
    const frozen = (await database.read(frozenRuns)).filter((run) => !rung.has(keyOf(run)));
    if (frozen.length === 0) return;
    const over = await database.write(async (tx) => {
      const ended = frozen.filter((run) => untilOf(run).some((until) => until.getTime() <= tx.now));
      for (const repository of new Set(ended.map((run) => run.repository))) await wantReconsidering(tx, repository);
      return ended;
    });
    for (const run of over) rung.add(keyOf(run));
  };
}

async function frozenRuns(db: Query): Promise<readonly DeploymentRun[]> {
  const rows = await db
    .selectFrom("run")
    .selectAll()
    .where("kind", "=", "deployment")
    // The index knows the unfinished ones.
    .where("state", "<>", "finished")
    .where("state", "=", "waiting")
    .where("gates", "like", '%"kind":"freeze"%')
    .execute();
  return rows.map(runFromRow).filter((run) => run.kind === "deployment");
}

function untilOf(run: DeploymentRun): readonly Date[] {
  const gates = run.state === "waiting" ? run.gates : [];
  return gates.flatMap((gate) => (gate.kind === "freeze" && gate.until !== null ? [gate.until] : []));
}

function keyOf(run: DeploymentRun): string {
  return `${run.id} ${untilOf(run)
    .map((until) => until.getTime())
    .join(" ")}`;
}
