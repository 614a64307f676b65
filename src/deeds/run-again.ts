import { checkGates, type SandboxKind } from "../checks/trust.ts";
import type { Transaction } from "../database/connection.ts";
import { deciding } from "../runs/deciding.ts";
import { retry } from "../runs/queue.ts";
import { checksOf, findRun } from "../runs/read.ts";
import { short } from "../runs/sentences.ts";
import { type Actor, type Answer, done, mayAct, refused, withoutPermission } from "./actor.ts";
import { record } from "./history.ts";
import { hasNotPassed } from "./retry-checks.ts";

export interface RunAgain {
  readonly repository: number;
  readonly run: number;
  readonly sandbox: SandboxKind;
}

/** Runs one finished check once more, whatever its result, as a new attempt. A deployment is never repeated: it is asked for anew. */
export async function runAgain(tx: Transaction, actor: Actor, { repository, run: id, sandbox }: RunAgain): Promise<Answer> {
  if (!mayAct(actor)) return withoutPermission(actor);
  const run = await findRun(tx.db, id);
  if (run === null || run.repository !== repository) return refused(`There is no run ${id}`);
  if (run.kind === "deployment") return refused("A deployment is never repeated; deploy the commit again instead");
  const gates = await checkGates(tx.db, run, sandbox);
  if (!(await retry(tx, id, run.configuration, gates))) return refused(`${run.name} of ${short(run.sha)} is under way already`);
  await record(tx, actor, { deed: "retry", repository, run: id, details: { sha: run.sha, runs: [id] } });
  if (gates.length > 0) return done(`${run.name} of ${short(run.sha)} waits for an approval again`);
  return done(`${run.name} of ${short(run.sha)} is queued once more`);
}

/** The same for each check of a commit that did not pass, of those that GitHub shows. */
export async function runFailedAgain(
  tx: Transaction,
  actor: Actor,
  { repository, sha, sandbox }: Omit<RunAgain, "run"> & { readonly sha: string },
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const run of deciding(await checksOf(tx.db, repository, sha)).filter(hasNotPassed))
    answers.push(await runAgain(tx, actor, { repository, run: run.id, sandbox }));
  return answers;
}
