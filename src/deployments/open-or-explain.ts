import { planChecks } from "../checks/plan.ts";
import { startChecks } from "../checks/start.ts";
import type { Transaction } from "../database/connection.ts";
import type { Repository } from "../github/repository.ts";
import { enqueue, keepWaiting } from "../runs/queue.ts";
import type { DeploymentRun, Gate } from "../runs/run.ts";
import { configurationOf, reconfigure } from "./configuration.ts";
import { askForContexts } from "./contexts.ts";
import { factsOf } from "./facts.ts";
import { shutGates } from "./gates.ts";
import type { DeploymentMeans } from "./means.ts";
import type { Rules } from "./rules.ts";

/** Queues a waiting deployment that no gate holds back by the rules of now, or says why it waits; what has to be found out about its commit is set off. */
export async function openOrExplain(
  means: DeploymentMeans,
  repository: Repository,
  run: DeploymentRun,
  rules: Rules,
  judgedAgainst: number | null,
): Promise<void> {
  const configuration = configurationOf(run);
  if (configuration === null) return;
  await askForContexts(means, repository, run, configuration, rules);
  const decide = () => means.database.write((tx) => openOrWait(tx, run, rules, judgedAgainst));
  const gates = await decide();
  // Decided again, so that people are told that the checks have started.
  if (gates.some((gate) => hasMissingChecks(gate, rules)) && (await checkTheCommitItself(means, repository, run))) await decide();
}

async function openOrWait(
  tx: Transaction,
  run: DeploymentRun,
  rules: Rules,
  judgedAgainst: number | null,
): Promise<readonly Gate[]> {
  const configuration = await reconfigure(tx, run.id, (before) => ({ ...before, rules }));
  if (configuration === null) return [];
  const shut = shutGates(configuration, await factsOf(tx, run, configuration));
  const [first, ...rest] = shut;
  if (first === undefined) await enqueue(tx, run.id, judgedAgainst);
  else await keepWaiting(tx, run.id, [first, ...rest]);
  return shut;
}

/** Those of others cannot be set off from here. */
function hasMissingChecks(gate: Gate, { requireChecks }: Rules): boolean {
  const others = requireChecks.kind === "these" ? requireChecks.contexts : [];
  return gate.kind === "checks" && gate.notGreen.some(({ context, state }) => state === "missing" && !others.includes(context));
}

/** Nothing with this tree was checked: its checks run on the very commit that is to be deployed. `false` when its file has none. */
async function checkTheCommitItself(
  { database, loadFile }: DeploymentMeans,
  repository: Repository,
  run: DeploymentRun,
): Promise<boolean> {
  const loaded = await loadFile(repository, run.sha);
  if (loaded.kind !== "file") return false;
  const { sha, ref, pullRequest, title, person } = run;
  const commit = {
    cause: { kind: "run" as const, id: run.id },
    repository: repository.id,
    sha,
    ref,
    pullRequest,
    title,
    person,
    trust: "own" as const,
  };
  await database.write((tx) => startChecks(tx, commit, planChecks(loaded.file, null), false));
  return true;
}
