import { html } from "hono/html";
import type { House } from "../house.ts";
import type { Session } from "../session.ts";
import type { Html } from "./html.ts";
import { type IconName, icon } from "./icons.ts";

/** Somebody who may act on a page, and where they come back to. */
export interface Doer {
  readonly token: string;
  readonly back: string;
}

/** `null` for who may not: then a page shows no buttons. */
export function doerOf(house: Pick<House, "csrf">, session: Session | null, mayAct: boolean, back: string): Doer | null {
  return mayAct ? { token: session?.csrf ?? house.csrf, back } : null;
}

export interface Question {
  /** Unlike all others on the page. */
  readonly id: string;
  readonly button: { readonly words: string; readonly icon?: IconName; readonly main?: boolean };
  /** `Roll production back to 77aa0cb?` */
  readonly asks: string;
  /** What will happen. */
  readonly says: Html | string;
  readonly action: string;
  readonly hidden?: Readonly<Record<string, string>>;
  /** More fields, above the reason. */
  readonly fields?: Html;
  readonly reason: "needed" | "useful" | "none";
  /** What the button says that does it. */
  readonly does: string;
  readonly dangerous?: boolean;
}

/** A button, and the question that it opens: what will happen, why it is done, and a way to leave all as it is. Works without scripts. */
export function confirm({ token, back }: Doer, question: Question): Html {
  const { id, button, asks, says, action, hidden = {}, fields, reason, does, dangerous } = question;
  return html`<button type="button" popovertarget="${id}" class="${button.main ? "main" : ""}">${button.icon === undefined ? "" : icon(button.icon)}${button.words}</button>
<div id="${id}" popover class="ask" role="dialog" aria-labelledby="${id}-asks">
<form method="post" action="${action}">
<h2 id="${id}-asks">${asks}</h2>
<p>${says}</p>
<input type="hidden" name="csrf" value="${token}"><input type="hidden" name="back" value="${back}">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${fields ?? ""}
${reason === "none" ? "" : reasonField(id, reason)}
<div class="answers"><button type="button" class="keep" popovertarget="${id}" popovertargetaction="hide">Keep as it is</button>
<button class="${dangerous ? "danger" : "main"}">${does}</button></div>
</form></div>`;
}

function reasonField(id: string, reason: "needed" | "useful"): Html {
  return html`<label for="${id}-reason">Reason${reason === "useful" ? html` <span class="muted">(optional)</span>` : ""}</label>
<input id="${id}-reason" name="reason" maxlength="500" autocomplete="off" ${reason === "needed" ? "required" : ""}>`;
}
