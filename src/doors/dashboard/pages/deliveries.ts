import { html } from "hono/html";
import type { Repository } from "../../../github/repository.ts";
import type { Run } from "../../../runs/run.ts";
import { tookInWords } from "../client/times.js";
import type { House } from "../house.ts";
import type { Delivery } from "../receipts.ts";
import { confirm, type Doer, type Question } from "./confirm.ts";
import type { Viewer } from "./frame.ts";
import type { Html } from "./html.ts";
import { icon, type Look } from "./icons.ts";
import { layout, pathOf } from "./layout.ts";
import { lookOf, nameOf } from "./look.ts";
import { ago } from "./times.ts";

export interface DeliveriesView {
  readonly repository: Repository;
  readonly deliveries: readonly Delivery[];
  /** By the delivery's id. */
  readonly caused: ReadonlyMap<number, readonly Run[]>;
  readonly more: boolean;
}

/** What GitHub told of a repository, what became of it, and what it caused. */
export function deliveriesPage(house: House, { session, said, doer }: Viewer, view: DeliveriesView): Html {
  const { repository, deliveries, more } = view;
  const last = deliveries.at(-1);
  return layout(house, {
    title: `Deliveries of ${repository.name}`,
    session,
    said,
    repository,
    tab: "deliveries",
    body: html`<div class="page"><h1>Deliveries</h1>
<p class="about">What GitHub told Signalbox of this repository, the newest first.</p>
${
  deliveries.length === 0
    ? html`<p class="teach">Nothing has arrived yet. On GitHub the App's settings have a page “Advanced” that lists what was sent, and why it did not arrive.</p>`
    : html`<div class="wide" tabindex="0" role="region" aria-label="Deliveries"><table><caption class="unseen">Deliveries</caption>
<thead><tr><th scope="col">When</th><th scope="col">Event</th><th scope="col">Outcome</th><th scope="col" class="number">Took</th><th scope="col">Caused</th><th scope="col"><span class="unseen">Do</span></th></tr></thead>
<tbody>${deliveries.map((one) => row(house, view, one, doer))}</tbody></table></div>`
}
${more && last !== undefined ? html`<p class="more"><a href="${pathOf(repository)}/deliveries?before=${last.id}" rel="next">Older deliveries</a></p>` : ""}</div>`,
  });
}

function row(house: House, { repository, caused }: DeliveriesView, delivery: Delivery, doer: Doer | null): Html {
  const { id, event, action, receivedAt } = delivery;
  return html`<tr data-look="${lookOfDelivery(delivery)}"><td>${ago(receivedAt, house.clock())}</td>
<td><a href="${pathOf(repository)}/deliveries/${id}">${event}${action === null ? "" : `.${action}`}</a></td>
<td>${outcomeOf(delivery)}</td><td class="number">${tookOf(delivery)}</td><td>${causedList(repository, caused.get(id) ?? [])}</td>
<td class="do">${doer === null || !mayHandleAgain(delivery) ? "" : confirm(doer, againQuestion(repository, delivery))}</td></tr>`;
}

/** One delivery with its payload. */
export function deliveryPage(
  house: House,
  { session, said, doer }: Viewer,
  view: {
    readonly repository: Repository;
    readonly delivery: Delivery;
    readonly payload: string | null;
    readonly caused: readonly Run[];
  },
): Html {
  const { repository, delivery, payload, caused } = view;
  const { event, action, guid, receivedAt } = delivery;
  const name = `${event}${action === null ? "" : `.${action}`}`;
  return layout(house, {
    title: `${name} · ${repository.name}`,
    session,
    said,
    repository,
    tab: "deliveries",
    body: html`<div class="page"><header class="environment"><div><h1>${name}</h1>
<p class="facts" data-look="${lookOfDelivery(delivery)}">${outcomeOf(delivery)}${ago(receivedAt, house.clock())}<span>${tookOf(delivery)}</span><span>GUID <code>${guid}</code></span></p></div>
${doer === null ? "" : html`<div class="buttons">${mayHandleAgain(delivery) ? confirm(doer, againQuestion(repository, delivery)) : ""}${confirm(doer, redeliverQuestion(repository, delivery))}</div>`}</header>
${delivery.error === null ? "" : html`<p class="strip">${delivery.error}</p>`}
<section><h2>What it caused</h2>${caused.length === 0 ? html`<p class="muted">No run.</p>` : causedList(repository, caused)}</section>
<section><h2>Payload</h2>${
      payload === null
        ? html`<p class="muted">Nobody listens to this event, or it is older than HISTORY_RETENTION: its payload was not kept.</p>`
        : html`<pre class="payload" tabindex="0" role="region" aria-label="Payload"><code>${payload}</code></pre>`
    }</section></div>`,
  });
}

function causedList(repository: Repository, runs: readonly Run[]): Html {
  return html`<ul class="caused">${runs.map((run) => html`<li>${icon(lookOf(run))}<a href="${pathOf(repository)}/runs/${run.id}">${nameOf(run)}</a></li>`)}</ul>`;
}

const words = { received: "Being handled", handled: "Handled", ignored: "Nobody listens", failed: "Failed" } as const;

function outcomeOf(delivery: Delivery): Html {
  const { state, attempts } = delivery;
  const again = attempts > 1 ? `, attempt ${attempts}` : "";
  return html`<span class="state verdict">${icon(lookOfDelivery(delivery))}${words[state]}${again}</span>`;
}

function lookOfDelivery({ state, attempts }: Delivery): Look {
  switch (state) {
    case "received":
      return attempts > 1 ? "waiting" : "running";
    case "handled":
      return "passed";
    case "ignored":
      return "cancelled";
    case "failed":
      return "failed";
  }
}

function tookOf({ receivedAt, finishedAt, state }: Delivery): string {
  if (finishedAt === null || state === "ignored") return "";
  const milliseconds = finishedAt.getTime() - receivedAt.getTime();
  return milliseconds < 10_000 ? `${milliseconds} ms` : tookInWords(milliseconds);
}

function mayHandleAgain({ hasBody, state }: Delivery): boolean {
  return hasBody && state !== "received";
}

function againQuestion(repository: Repository, { id, event }: Delivery): Question {
  return {
    id: `again-${id}`,
    button: { words: "Handle again…", icon: "again" },
    asks: `Handle this ${event} again?`,
    says: "As if GitHub had delivered it once more: checks that ended run again if their commit is still the head, what is under way stays as it is, and nothing is deployed twice.",
    action: `${pathOf(repository)}/deliveries/${id}/again`,
    reason: "none",
    does: "Handle again",
  };
}

function redeliverQuestion(repository: Repository, { id, event }: Delivery): Question {
  return {
    id: `redeliver-${id}`,
    button: { words: "Redeliver…", icon: "again" },
    asks: `Have GitHub deliver ${event} again?`,
    says: "GitHub sends it once more, payload and all, as the button in the App's settings does; it lists what it sent for a few days only. When it arrives the same holds as for handling it again.",
    action: `${pathOf(repository)}/deliveries/${id}/redeliver`,
    reason: "none",
    does: "Redeliver",
  };
}
