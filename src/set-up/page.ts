import { html, raw } from "hono/html";

/** What the first page offers. */
export interface Offer {
  readonly registrationUrl: string;
  readonly manifest: string;
  readonly state: string;
  readonly hookUrl: string;
  /** Whether GitHub can probably deliver to `hookUrl`. */
  readonly reachable: boolean;
}

/** Register a new App, or name one that exists. `problems` are those of the form that was just sent. */
export function setUpPage(offer: Offer, problems: readonly string[]): string {
  return page(html`
    <h1>Set up Signalbox</h1>
    <p>Signalbox acts on GitHub as a GitHub App of your own. It has none yet.</p>
    <h2>Register a new App</h2>
    <p>GitHub will deliver webhooks to <code>${offer.hookUrl}</code>.</p>
    ${offer.reachable ? "" : UNREACHABLE}
    <form action="${offer.registrationUrl}" method="post">
      <button name="manifest" value="${offer.manifest}">Register the App on GitHub</button>
    </form>
    <h2>Or use an App that exists</h2>
    <p>All of it stands on the App's settings page on GitHub. Its webhook URL must be the one above.</p>
    ${listOf(problems)}
    <form action="/probot/import" method="post">
      <input type="hidden" name="state" value="${offer.state}">
      <label>App id <input name="APP_ID" inputmode="numeric" required></label>
      <label>Client id <input name="GITHUB_CLIENT_ID" autocomplete="off" required></label>
      <label>Client secret <input name="GITHUB_CLIENT_SECRET" type="password" autocomplete="off" required></label>
      <label>Webhook secret <input name="WEBHOOK_SECRET" type="password" autocomplete="off" minlength="16" required></label>
      <label>Private key, the text of the .pem file <textarea name="PRIVATE_KEY" rows="6" autocomplete="off" required></textarea></label>
      <button>Use this App</button>
    </form>`);
}

/** The App is known: what comes next. `installUrl` is null when it existed before. */
export function donePage(installUrl: string | null, problems: readonly string[]): string {
  const install =
    installUrl === null
      ? html`Install it in your repositories, on the App's page on GitHub.`
      : html`<a href="${installUrl}">Install it in your repositories</a>.`;
  return page(html`
    <h1>The App is set up</h1>
    <p>What it needs stands in <code>.env</code>, which only you can read.</p>
    ${problems.length > 0 ? html`<p>Correct this there before the start:</p>${listOf(problems)}` : ""}
    <ol><li>${install}</li><li>Start Signalbox again: stop it, then <code>npm start</code>.</li></ol>`);
}

/** A refusal, or a failure that the log explains. */
export function messagePage(title: string, text: string): string {
  return page(html`<h1>${title}</h1><p>${text}</p><p><a href="/probot">Back to the set-up</a></p>`);
}

/** The page's own style is the only one that its content security policy allows. */
export const STYLE = `
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
  body { max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }
  label { display: block; margin: .75rem 0; }
  input, textarea { display: block; box-sizing: border-box; width: 100%; font: inherit; }
  button { font: inherit; padding: .4rem 1rem; }
  code { overflow-wrap: anywhere; }
  .problems { border-left: .25rem solid #c33; padding-left: 2rem; }
`;

const UNREACHABLE = html`<p class="problems">
  That address is on this machine, and GitHub refuses it. Set PUBLIC_URL to an address that GitHub reaches, or WEBHOOK_PROXY_URL to a
  channel of smee.io (NO_SMEE_SETUP=false asks for one), and start again.
</p>`;

function listOf(problems: readonly string[]) {
  return problems.length === 0 ? "" : html`<ul class="problems">${problems.map((problem) => html`<li>${problem}</li>`)}</ul>`;
}

function page(body: ReturnType<typeof html>): string {
  return String(html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Set up Signalbox</title>
    <style>${raw(STYLE)}</style>
  </head>
  <body><main>${body}</main></body>
</html>`);
}
