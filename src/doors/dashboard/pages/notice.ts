import { html } from "hono/html";
import type { House } from "../house.ts";
import type { Session } from "../session.ts";
import type { Html } from "./html.ts";
import { layout } from "./layout.ts";

/** One thing to say, and what to do about it. */
export function notice({ heading, text, action }: { heading: string; text: Html; action?: Html }): Html {
  return html`<section class="notice"><h1>${heading}</h1>${text}${action === undefined ? "" : html`<p>${action}</p>`}</section>`;
}

/** The same for what does not exist and for what the visitor may not see, so that it tells nothing. */
export function notFoundPage(house: House, session: Session | null): Html {
  const who =
    session === null
      ? ""
      : html`<p>You are signed in as ${session.person.login} and see the repositories that GitHub lets you read.
If you were renamed on GitHub or just got access, sign out and in again or come back in five minutes.</p>`;
  return layout(house, {
    title: "Not found",
    session,
    body: notice({
      heading: "There is nothing here for you",
      text: html`<p>The page does not exist, or it belongs to a repository that you may not see.</p>${who}`,
      action: html`<a class="button" href="/">All repositories</a>`,
    }),
  });
}

export function gitHubSilentPage(house: House, session: Session | null): Html {
  return layout(house, {
    title: "GitHub does not answer",
    session,
    body: notice({
      heading: "GitHub does not answer",
      text: html`<p>Signalbox asks GitHub whether you may read this repository, and got no answer. Nothing is shown until it does; runs go on meanwhile.</p>
<p>Try again in a minute.</p>`,
    }),
  });
}

export function brokenPage(house: House, session: Session | null): Html {
  return layout(house, {
    title: "Something broke",
    session,
    body: notice({
      heading: "Something broke on our side",
      text: html`<p>The server's log says what. Try again; if it stays broken, tell whoever runs this Signalbox.</p>`,
    }),
  });
}

export function forgedPage(house: House, session: Session | null): Html {
  return layout(house, {
    title: "Not done",
    session,
    body: notice({
      heading: "Nothing was done",
      text: html`<p>This did not come from a page of this Signalbox, or the page was open since before you signed in. Reload the page and try again.</p>`,
      action: html`<a class="button" href="/">All repositories</a>`,
    }),
  });
}

export function readerPage(house: House, session: Session | null): Html {
  return layout(house, {
    title: "Not done",
    session,
    body: notice({
      heading: "You may read here, but not write",
      text: html`<p>Nothing was done. It takes write permission in the repository; whoever administers it on GitHub can give it to you.</p>`,
      action: html`<a class="button" href="/">All repositories</a>`,
    }),
  });
}
