import type { Transaction } from "../database/connection.ts";
import { checksOf, checksOfTree } from "../runs/read.ts";
import { type DeploymentRun, fileEnvironmentOf } from "../runs/run.ts";
import { approvedBy, involvedIn } from "./approvals.ts";
import type { DeploymentConfiguration } from "./configuration.ts";
import { wantedContexts } from "./contexts.ts";
import type { ContextFact, Facts } from "./gates.ts";
import { lockOf } from "./locks.ts";

/** Reads what the gates are decided from, as it is within this transaction. */
export async function factsOf(tx: Transaction, run: DeploymentRun, configuration: DeploymentConfiguration): Promise<Facts> {
  const { repository, sha, environment } = run;
  // The tree may have been learned after the run was read.
  const row = await tx.db.selectFrom("run").select("tree").where("id", "=", run.id).executeTakeFirst();
  const own = await checksOf(tx.db, repository, sha);
  const sameTree = row?.tree == null ? [] : await checksOfTree(tx.db, repository, row.tree);
  const { after, approvals } = configuration.rules;
  return {
    now: new Date(tx.now),
    sha,
    environment,
    checks: [...own, ...sameTree],
    contexts: await saidByOthers(tx, run, configuration),
    passedPrevious: after !== null && (await hasPassed(tx, run, after)),
    lock: await lockOf(tx.db, { repository, environment: fileEnvironmentOf(run) }),
    approvedBy: approvals === null ? [] : await approvedBy(tx.db, run),
    involved: approvals === null ? [] : await involvedIn(tx.db, run),
  };
}

async function saidByOthers(
  tx: Transaction,
  run: DeploymentRun,
  configuration: DeploymentConfiguration,
): Promise<readonly ContextFact[]> {
  const { required, heads } = wantedContexts(run, configuration, configuration.rules);
  if (required.length === 0) return [];
  return tx.db
    .selectFrom("commit_context")
    .select(["sha", "context", "state"])
    .where("repository", "=", run.repository)
    .where("sha", "in", heads)
    .where(
      "context",
      "in",
      required.map((name) => name.toLowerCase()),
    )
    .execute();
}

async function hasPassed(tx: Transaction, { repository, sha }: DeploymentRun, environment: string): Promise<boolean> {
  const passed = await tx.db
    .selectFrom("run")
    .select("id")
    .where("repository", "=", repository)
    .where("name", "=", environment)
    .where("sha", "=", sha)
    .where("kind", "=", "deployment")
    .where("state", "=", "finished")
    .where("outcome", "like", '{"kind":"passed"%')
    .limit(1)
    .executeTakeFirst();
  return passed !== undefined;
}
