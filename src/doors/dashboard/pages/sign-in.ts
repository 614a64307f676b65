import { html } from "hono/html";
import type { House } from "../house.ts";
import type { Session } from "../session.ts";
import type { Html } from "./html.ts";
import { layout } from "./layout.ts";
import { notice } from "./notice.ts";

export function signInProblemPage(house: House, problem: { what: string; advice: string; again: string }): Html {
  return layout(house, {
    title: "Not signed in",
    body: notice({
      heading: "You are not signed in",
      text: html`<p>${problem.what}</p><p>${problem.advice}</p>`,
      action: html`<a class="button" href="${problem.again}">Sign in with GitHub</a>`,
    }),
  });
}

export function signedOutPage(house: House): Html {
  return layout(house, {
    title: "Signed out",
    body: notice({
      heading: "You are signed out",
      text: html`<p>GitHub itself may still know you in this browser.</p>`,
      action: html`<a class="button" href="/login">Sign in with GitHub</a>`,
    }),
  });
}

export function leavingPage(house: House, session: Session): Html {
  return layout(house, {
    title: "Sign out",
    session,
    body: notice({
      heading: "Sign out?",
      text: html`<p>You are signed in as ${session.person.login}.</p>`,
      action: html`<form method="post" action="/-/logout"><input type="hidden" name="csrf" value="${session.csrf}"><button>Sign out</button></form>`,
    }),
  });
}
