import { html } from "hono/html";
import type { LogPart } from "../../../runs/log.ts";
import { lineToHtml } from "../ansi.ts";
import type { Html } from "./html.ts";
import { icon, type Look } from "./icons.ts";

export interface LogView extends Pick<LogPart, "lines" | "times" | "group"> {
  /** The address of the run's page. */
  readonly path: string;
  readonly attempt: number;
  /** The number of the first of `lines`. */
  readonly first: number;
  /** How many lines the log has. */
  readonly count: number;
  /** The line that a failed run is opened at; `null` when there is none. */
  readonly firstError: number | null;
  /** More lines may come; the browser is to wait for them. */
  readonly live: boolean;
  readonly look: Look;
}

/** The log: readable as it stands; in the browser `client/run-log.js` makes it follow, and fetches what is not here. */
export function logSection(log: LogView): Html {
  const { path, attempt, first, lines, count, live, times, group, firstError } = log;
  const last = first + lines.length - 1;
  return html`<run-log class="log" data-path="${path}" data-attempt="${attempt}" data-first="${first}" data-count="${count}" data-times="${JSON.stringify(times)}" ${group === null ? "" : html`data-group="${group}"`} ${firstError === null ? "" : html`data-error="${firstError}"`} ${live ? "data-live" : ""}>
<div class="bar">
<form class="search" role="search" data-part="search" hidden>${icon("search")}<input type="search" aria-label="Search the whole log" placeholder="Search the whole log" autocomplete="off" spellcheck="false"><output></output></form>
${firstError === null ? "" : html`<a class="quiet error" href="${around(log, firstError)}" data-line="${firstError}">First error</a>`}
<span class="gap"></span>
<span class="pulse" data-part="pulse" data-state="${live ? "live" : "complete"}" role="status">${live ? "Live" : "Complete"}</span>
<span class="count" data-part="count">${linesInWords(count)}</span>
<button type="button" class="quiet" data-part="times" aria-pressed="false" hidden>Times</button>
<button type="button" class="quiet" data-part="wrap" aria-pressed="true" hidden>Wrap</button>
<button type="button" class="quiet" data-part="fold" aria-pressed="false" hidden>Fold groups</button>
<a class="quiet" data-part="raw" href="${path}/log.txt?attempt=${attempt}" download>${icon("download")}Raw</a>
</div>
<div class="lines" data-part="lines" tabindex="0" role="region" aria-label="Log">
${first > 1 ? html`<p class="more" data-part="plain"><a href="${around(log, Math.max(1, first - 100))}">Earlier lines</a></p>` : ""}
${lines.length === 0 ? html`<p class="empty" data-part="empty">${whyEmpty(log.look)}</p>` : ""}
<div data-part="window">${lines.map((line, at) => lineOf(first + at, line))}</div>
${last < count ? html`<p class="more" data-part="plain"><a href="${around(log, last + 51)}">Later lines</a></p>` : ""}
</div>
<button type="button" class="follow" data-part="follow" hidden>Follow</button>
</run-log>`;
}

/** The address of the page with one line in sight, for browsers without scripts too. */
export function around({ path, attempt }: Pick<LogView, "path" | "attempt">, line: number): string {
  return `${path}?attempt=${attempt}&line=${line}#L${line}`;
}

// No blanks between the parts: they would be copied with the text.
function lineOf(number: number, text: string): Html {
  return html`<div class="line" id="L${number}"><a href="#L${number}" data-number="${number}" tabindex="-1" aria-label="Line ${number}"></a><span>${lineToHtml(text)}</span></div>`;
}

function linesInWords(count: number): string {
  return count === 1 ? "1 line" : `${count.toLocaleString("en")} lines`;
}

function whyEmpty(look: Look): string {
  switch (look) {
    case "waiting":
      return "The log begins when nothing holds the run back any more.";
    case "queued":
      return "The log begins as soon as a place is free.";
    case "running":
      return "Nothing was printed yet.";
    case "passed":
    case "failed":
    case "errored":
    case "cancelled":
    case "lost":
      return "Nothing was printed, or the log is older than LOG_RETENTION.";
  }
}
