import { html } from "hono/html";
import type { Repository } from "../../../github/repository.ts";
import type { DeploymentRun } from "../../../runs/run.ts";
import { short } from "../../../runs/sentences.ts";
import type { Place, WaysOn } from "../ways-on.ts";
import type { Question } from "./confirm.ts";
import { pathOf } from "./layout.ts";
import { ago } from "./times.ts";

/** What may be done about a deployment that has ended. */
export function onwardQuestions(repository: Repository, run: DeploymentRun, ways: WaysOn, now: number): readonly Question[] {
  const { mayDeploy, promotes, rollBackTo } = ways;
  const backWords = rollBackTo?.id === run.id ? "Roll back to this…" : "Roll back…";
  return [
    ...promotes.map((place) => promoteQuestion(repository, run, place, `Promote to ${place.name}…`)),
    ...(mayDeploy ? [deployAgainQuestion(repository, run)] : []),
    ...(rollBackTo === null ? [] : [rollBackQuestion(repository, rollBackTo, backWords, now)]),
  ];
}

/** Of what is live in one environment, to another. The commit is named in the form, so that it is the one that was looked at. */
export function promoteQuestion(repository: Repository, live: DeploymentRun, to: Place, words: string): Question {
  return {
    id: `promote-${to.name}`,
    button: { words, icon: "promote" },
    asks: `Promote ${short(live.sha)} to ${to.name}?`,
    says: html`It is live on ${live.environment}${live.title === null ? "" : html`: “${live.title}”`}. It goes to ${to.name} as soon as the gates there are open${gatesIn(to)}.`,
    action: `${pathOf(repository)}/environments/${live.environment}/promote`,
    hidden: { to: to.name, sha: live.sha },
    reason: "useful",
    does: "Promote",
  };
}

/** Of an environment, to what was live there. */
export function rollBackQuestion(repository: Repository, to: DeploymentRun, words: string, now: number): Question {
  const name = to.environment;
  return {
    id: `rollback-${name}`,
    button: { words, icon: "rollback" },
    asks: `Roll ${name} back to ${short(to.sha)}?`,
    says: html`${to.title === null ? "" : html`“${to.title}”, `}deployed ${ago(endOf(to), now)}. No gate holds it back, and the environment is locked afterwards, so that nothing goes out by itself.`,
    action: `${pathOf(repository)}/environments/${name}/rollback`,
    hidden: { sha: to.sha },
    reason: "useful",
    does: "Roll back",
    dangerous: true,
  };
}

function deployAgainQuestion(repository: Repository, run: DeploymentRun): Question {
  const sha = short(run.sha);
  return {
    id: `deploy-${run.id}`,
    button: { words: "Deploy again…", icon: "deploy" },
    asks: `Deploy ${sha} to ${run.environment} again?`,
    says: "This very commit is deployed once more, behind the same gates as any other.",
    action: `${pathOf(repository)}/environments/${run.environment}/deploy`,
    hidden: { sha: run.sha },
    reason: "useful",
    does: "Deploy",
  };
}

/** The gates of an environment that may be shut, in parentheses. */
export function gatesIn({ plan, lock }: Pick<Place, "plan" | "lock">): string {
  const gates = [
    ...(lock === null ? [] : ["the lock"]),
    ...(plan?.approvals == null ? [] : ["approval"]),
    ...(plan === null || plan.requireChecks.kind === "none" ? [] : ["checks"]),
    ...(plan === null || plan.freeze.length === 0 ? [] : ["freeze"]),
  ];
  return gates.length === 0 ? "" : ` (${gates.join(", ")})`;
}

function endOf(run: DeploymentRun): Date {
  return run.state === "finished" ? run.finishedAt : run.createdAt;
}
