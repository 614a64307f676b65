import { html } from "hono/html";
import type { DeploymentRun } from "../../../runs/run.ts";
import { short } from "../../../runs/sentences.ts";
import type { EnvironmentState } from "../environments.ts";
import { confirm, type Doer } from "./confirm.ts";
import type { Html } from "./html.ts";
import { pathOf } from "./layout.ts";
import { approveQuestion, cancelQuestion } from "./run-buttons.ts";
import { ago } from "./times.ts";

/** What may be done in an environment now: three buttons at most. */
export function environmentButtons(state: EnvironmentState, doer: Doer | null, now: number): Html | "" {
  if (doer === null) return "";
  const { unfinished, lock } = state;
  const running = unfinished.find((run) => run.state === "running" && run.stop === null);
  const first = running === undefined ? forward(state, doer) : confirm(doer, cancelQuestion(state.repository, running));
  return html`<div class="buttons">${first}${running === undefined ? rollBack(state, doer, now) : ""}${lock === null ? lockIt(state, doer) : unlockIt(state, doer, lock)}</div>`;
}

function forward(state: EnvironmentState, doer: Doer): Html | "" {
  const wanting = state.unfinished.findLast(
    (run) => run.state === "waiting" && run.gates.some(({ kind }) => kind === "approval"),
  );
  if (wanting !== undefined) return confirm(doer, approveQuestion(state.repository, wanting));
  return state.promotesFrom === null ? deploy(state, doer) : promote(state, doer, state.promotesFrom);
}

function addressOf({ repository, name }: EnvironmentState, deed: string): string {
  return `${pathOf(repository)}/environments/${name}/${deed}`;
}

function deploy(state: EnvironmentState, doer: Doer): Html | "" {
  const { name, plan, branch, head, mayOverride } = state;
  if (plan === null) return "";
  const id = `deploy-${name}`;
  return confirm(doer, {
    id,
    button: { words: "Deploy…", icon: "deploy" },
    asks: `Deploy to ${name}?`,
    says: html`The head of ${branch}${head === null ? "" : html`, <span class="sha">${short(head)}</span>,`} or the commit that you name goes to ${name} as soon as its gates are open${gatesIn(state)}.`,
    action: addressOf(state, "deploy"),
    fields: html`<label for="${id}-sha">Commit <span class="muted">(at least 7 digits; empty for the head)</span></label>
<input id="${id}-sha" name="sha" pattern="[0-9a-fA-F]{7,40}" autocomplete="off" spellcheck="false" placeholder="${head === null ? "" : short(head)}">
${mayOverride ? html`<label class="tick"><input type="checkbox" name="override" value="yes"> Break the glass: pass approval, freeze and checks</label>` : ""}`,
    reason: "useful",
    does: "Deploy",
  });
}

function gatesIn({ plan, lock }: EnvironmentState): string {
  const gates = [
    ...(lock === null ? [] : ["the lock"]),
    ...(plan?.approvals == null ? [] : ["approval"]),
    ...(plan === null || plan.requireChecks.kind === "none" ? [] : ["checks"]),
    ...(plan === null || plan.freeze.length === 0 ? [] : ["freeze"]),
  ];
  return gates.length === 0 ? "" : ` (${gates.join(", ")})`;
}

function promote(state: EnvironmentState, doer: Doer, { from, live }: NonNullable<EnvironmentState["promotesFrom"]>): Html {
  return confirm(doer, {
    id: `promote-${state.name}`,
    button: { words: "Promote…", icon: "promote" },
    asks: `Promote ${short(live.sha)} to ${state.name}?`,
    says: html`It is live on ${from}${live.title === null ? "" : html`: “${live.title}”`}. It goes to ${state.name} as soon as the gates there are open${gatesIn(state)}.`,
    action: `${pathOf(state.repository)}/environments/${from}/promote`,
    hidden: { to: state.name },
    reason: "useful",
    does: "Promote",
  });
}

function rollBack(state: EnvironmentState, doer: Doer, now: number): Html | "" {
  const { rollbackTo: to, name } = state;
  if (to === null) return "";
  return confirm(doer, {
    id: `rollback-${name}`,
    button: { words: "Roll back…", icon: "rollback" },
    asks: `Roll ${name} back to ${short(to.sha)}?`,
    says: html`${to.title === null ? "" : html`“${to.title}”, `}deployed ${ago(endOf(to), now)}. No gate holds it back, and the environment is locked afterwards, so that nothing goes out by itself.`,
    action: addressOf(state, "rollback"),
    hidden: { sha: to.sha },
    reason: "useful",
    does: "Roll back",
    dangerous: true,
  });
}

function endOf(run: DeploymentRun): Date {
  return run.state === "finished" ? run.finishedAt : run.createdAt;
}

function lockIt(state: EnvironmentState, doer: Doer): Html {
  const { name } = state;
  return confirm(doer, {
    id: `lock-${name}`,
    button: { words: "Lock…", icon: "lock" },
    asks: `Lock ${name}?`,
    says: "Nothing starts there until somebody unlocks it, except a rollback. What runs goes on.",
    action: addressOf(state, "lock"),
    reason: "needed",
    does: "Lock",
  });
}

function unlockIt(state: EnvironmentState, doer: Doer, lock: NonNullable<EnvironmentState["lock"]>): Html {
  const { name, unfinished } = state;
  const waits = unfinished.filter((run) => run.state === "waiting").length;
  return confirm(doer, {
    id: `unlock-${name}`,
    button: { words: "Unlock…", icon: "unlock" },
    asks: `Unlock ${name}?`,
    says: html`${lock.by} locked it: “${lock.reason}”. ${waits === 0 ? "Nothing waits for it now." : html`${waits === 1 ? "One deployment waits" : `${waits} deployments wait`} and may go out at once.`}`,
    action: addressOf(state, "unlock"),
    reason: "useful",
    does: "Unlock",
  });
}
