import { createHash } from "node:crypto";
import { html } from "hono/html";
import { type Answer, notFound, withParameter } from "../http/answers.ts";
import { type Call, type Route, route } from "../http/router.ts";
import { type Account, newToken, type SignIn, type World } from "../world.ts";
import { pageOf } from "./layout.ts";

/** The web flow: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app */
export const signInPages: readonly Route[] = [
  route("GET", "/login/oauth/authorize", authorize),
  route("POST", "/login/oauth/access_token", exchange),
];

const CODE_LIFETIME = 600_000;
const TOKEN_LIFETIME = 28_800;
const REFRESH_LIFETIME = 15_897_600;

/** Asks who it is; with `login` it asks nobody, which is for tests and for the links on the page itself. */
function authorize({ world, url }: Call): Answer | Promise<Answer> {
  const redirectUri = url.searchParams.get("redirect_uri");
  if (url.searchParams.get("client_id") !== world.app.clientId) throw notFound();
  if (redirectUri === null || !URL.canParse(redirectUri)) {
    return pageOf("Sign in", html`<p class="empty">The redirect_uri is not associated with this application.</p>`, 400);
  }
  const login = url.searchParams.get("login");
  const chosen = login === null ? undefined : world.accounts.get(login.toLowerCase());
  if (chosen?.type === "User") return redirectBack(world, url, chosen, redirectUri);
  const people = [...world.accounts.values()].filter(({ type }) => type === "User");
  return pageOf(
    "Sign in",
    html`<section>
      <h1>Sign in to ${world.app.slug}</h1>
      <p>Who are you today?</p>
      <p class="row">${people.map((person) => html`<a class="button" href="${withParameter(url, "login", person.login)}">${person.login}</a>`)}</p>
    </section>`,
  );
}

function redirectBack(world: World, url: URL, account: Account, redirectUri: string): Answer {
  const code = newToken("");
  const challenge = url.searchParams.get("code_challenge_method") === "S256" ? url.searchParams.get("code_challenge") : null;
  world.signIns.set(code, { account, redirectUri, challenge, expiresAt: new Date(world.clock.now().getTime() + CODE_LIFETIME) });
  const target = new URL(redirectUri);
  target.searchParams.set("code", code);
  const state = url.searchParams.get("state");
  if (state !== null) target.searchParams.set("state", state);
  return { status: 302, headers: { Location: target.href } };
}

/** A code works once. Problems are answered with 200, as GitHub does: https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors */
function exchange({ world, url, headers, body }: Call): Answer {
  const sent = sentParameters(url, String(headers["content-type"] ?? ""), body.toString());
  const code = sent.get("code") ?? "";
  const signIn = world.signIns.get(code);
  const problem = problemWith(world, signIn, sent);
  if (problem === null || problem === "redirect_uri_mismatch") world.signIns.delete(code);
  const json =
    problem === null && signIn
      ? newUserToken(world, signIn.account)
      : { error: problem, error_description: DESCRIPTIONS[problem ?? "bad_verification_code"] };
  if (String(headers.accept ?? "").includes("json")) return { status: 200, body: json };
  const text = new URLSearchParams(
    Object.entries(json).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return {
    status: 200,
    body: Buffer.from(text),
    headers: { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" },
  };
}

const DESCRIPTIONS = {
  incorrect_client_credentials: "The client_id and/or client_secret passed are incorrect.",
  bad_verification_code: "The code passed is incorrect or expired.",
  redirect_uri_mismatch: "The redirect_uri MUST match the registered callback URL for this application.",
};

function problemWith({ app, clock }: World, signIn: SignIn | undefined, sent: URLSearchParams): keyof typeof DESCRIPTIONS | null {
  if (sent.get("client_id") !== app.clientId || sent.get("client_secret") !== app.clientSecret)
    return "incorrect_client_credentials";
  if (!signIn || signIn.expiresAt <= clock.now()) return "bad_verification_code";
  const verifier = createHash("sha256")
    .update(sent.get("code_verifier") ?? "")
    .digest("base64url");
  if (signIn.challenge !== null && signIn.challenge !== verifier) return "bad_verification_code";
  return (sent.get("redirect_uri") ?? signIn.redirectUri) === signIn.redirectUri ? null : "redirect_uri_mismatch";
}

function newUserToken(world: World, account: Account): object {
  const token = newToken("ghu_");
  world.credentials.set(token, {
    kind: "signed in",
    account,
    expiresAt: new Date(world.clock.now().getTime() + TOKEN_LIFETIME * 1000),
  });
  return {
    access_token: token,
    expires_in: TOKEN_LIFETIME,
    refresh_token: newToken("ghr_"),
    refresh_token_expires_in: REFRESH_LIFETIME,
    token_type: "bearer",
    scope: "",
  };
}

function sentParameters(url: URL, contentType: string, body: string): URLSearchParams {
  if (!contentType.includes("json")) return new URLSearchParams(body === "" ? url.search : body);
  const entries = Object.entries(Object(JSON.parse(body)));
  return new URLSearchParams(entries.map(([name, value]): [string, string] => [name, String(value)]));
}
