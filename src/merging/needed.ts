import { appOfStatus, contextsOf } from "../github/contexts.ts";
import type { MergeablePullRequest } from "../github/merging.ts";
import type { Repository } from "../github/repository.ts";
import { type RequiredContext, requiredContextsOf } from "../github/required-contexts.ts";
import type { Loaded } from "../repository-file/load.ts";
import { deciding } from "../runs/deciding.ts";
import { checksOf } from "../runs/read.ts";
import type { CheckRun } from "../runs/run.ts";
import type { Needed } from "./decide.ts";
import type { MergingMeans } from "./means.ts";

/** The checks of the base branch's and the head's file. Of a fork the head's file says nothing. */
export async function ownNeeded(
  { database, loadFile }: MergingMeans,
  repository: Repository,
  pull: MergeablePullRequest,
): Promise<readonly Needed[]> {
  const base = await loadFile(repository, pull.baseRef);
  const head = pull.fork ? base : await loadFile(repository, pull.headSha);
  const runs = deciding(await database.read((db) => checksOf(db, repository.id, pull.headSha)));
  return needFrom(base, head, runs);
}

/** The same from plain values. A file with mistakes is not green. */
export function needFrom(base: Loaded, head: Loaded, runs: readonly CheckRun[]): readonly Needed[] {
  const broken = [base, head].some(({ kind }) => kind === "mistakes");
  const [ofBase, ofHead] = [namesOf(base), namesOf(head)];
  const names = [...new Set([...ofBase, ...ofHead])];
  const checks = names.map((name): Needed => {
    const run = runs.find((one) => one.name === name);
    if (run !== undefined) return { name, state: stateOf(run) };
    return { name, state: ofHead.includes(name) ? "pending" : "never" };
  });
  return broken ? [...checks, { name: ".github/signalbox.yml", state: "failed" }] : checks;
}

function namesOf(loaded: Loaded): readonly string[] {
  return loaded.kind === "file" ? Object.keys(loaded.file.checks) : [];
}

/** What a run says about its commit. */
export function stateOf(run: CheckRun): Needed["state"] {
  if (run.state !== "finished") return "pending";
  return run.outcome.kind === "passed" ? "passed" : "failed";
}

/**
 * What the base branch requires of others. Of ours our own database knows better, and all of them are needed anyway; unless it is another
 * App that must say so.
 */
export async function foreignNeeded(
  { github, settings }: MergingMeans,
  repository: Repository,
  pull: MergeablePullRequest,
): Promise<readonly Needed[]> {
  const installation = github.as(repository.installation);
  const prefix = settings.contextPrefix.toLowerCase();
  const isOurs = ({ context, app }: RequiredContext) => {
    const given = context.toLowerCase();
    return (app === null || app === settings.appId) && (given === prefix || given.startsWith(`${prefix}/`));
  };
  const { contexts } = await requiredContextsOf(installation, repository, pull.baseRef);
  const required = contexts.filter((one) => !isOurs(one));
  if (required.length === 0) return [];
  const said = await contextsOf(installation, repository, pull.headSha);
  const needed: Needed[] = [];
  for (const { context: name, app } of required) {
    const answers = said.filter(({ context }) => context.toLowerCase() === name.toLowerCase());
    const speaker =
      app !== null && answers.some((one) => one.app === null)
        ? await appOfStatus(installation, repository, pull.headSha, name)
        : null;
    // A status and a check run of one name are both required.
    const states = answers.filter((one) => app === null || (one.app ?? speaker) === app).map(({ state }) => state);
    const isPending = states.length === 0 || states.includes("pending");
    needed.push({ name, state: isPending ? "pending" : states.includes("failed") ? "failed" : "passed" });
  }
  return needed;
}
