import { html } from "hono/html";
import { short } from "../../../runs/sentences.ts";
import type { EnvironmentState } from "../environments.ts";
import { confirm, type Doer } from "./confirm.ts";
import { gatesIn, promoteQuestion, rollBackQuestion } from "./deployment-questions.ts";
import type { Html } from "./html.ts";
import { pathOf } from "./layout.ts";
import { approveQuestion, cancelQuestion } from "./run-buttons.ts";

/** What may be done in an environment now: three buttons at most. */
export function environmentButtons(state: EnvironmentState, doer: Doer | null, now: number): Html | "" {
  if (doer === null) return "";
  const { unfinished, lock, rollbackTo } = state;
  const running = unfinished.find((run) => run.state === "running" && run.stop === null);
  const first = running === undefined ? forward(state, doer) : confirm(doer, cancelQuestion(state.repository, running));
  return html`<div class="buttons">${first}${running !== undefined || rollbackTo === null ? "" : confirm(doer, rollBackQuestion(state.repository, rollbackTo, "Roll back…", now))}${lock === null ? lockIt(state, doer) : unlockIt(state, doer, lock)}</div>`;
}

function forward(state: EnvironmentState, doer: Doer): Html | "" {
  const wanting = state.unfinished.findLast(
    (run) => run.state === "waiting" && run.gates.some(({ kind }) => kind === "approval"),
  );
  if (wanting !== undefined) return confirm(doer, approveQuestion(state.repository, wanting));
  if (state.promotable === null) return deploy(state, doer);
  return confirm(doer, promoteQuestion(state.repository, state.promotable, state, "Promote…"));
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
