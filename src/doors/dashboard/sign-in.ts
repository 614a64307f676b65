import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { z } from "zod";
import { type Authorization, authorizationOf, refusal, SignInProblem } from "./authorization.ts";
import { type Cookies, cookiesFor, keepsCookies } from "./cookies.ts";
import { isFromOurPage, same } from "./csrf.ts";
import type { House, Request, Visit } from "./house.ts";
import { leavingPage, signedOutPage, signInProblemPage } from "./pages/sign-in.ts";

/** A sign-in takes a detour over GitHub, which may ask for a password and a second factor. */
const detourSeconds = 10 * 60;
const sessionSeconds = 30 * 24 * 60 * 60;
/** A cookie that is longer than 4 KB is not kept. */
const longestPath = 2_000;

/** Learns from the cookie who asks. */
export function withSession(house: House) {
  const cookies = cookiesFor(house.settings.publicUrl);
  return createMiddleware<Visit>(async (c, next) => {
    const cookie = house.settings.dashboardAuth.kind === "none" ? undefined : cookies.get(c, "session");
    c.set("session", cookie === undefined ? null : await house.sessions.find(cookie));
    await next();
  });
}

/** The pages of signing in and out; none where nobody signs in. */
export function signInPages(house: House): Hono<Visit> {
  const pages = new Hono<Visit>();
  const { dashboardAuth, github, publicUrl } = house.settings;
  if (dashboardAuth.kind === "none") return pages;
  const authorization = authorizationOf({ ...dashboardAuth, github, publicUrl });
  const cookies = cookiesFor(publicUrl);

  pages.get("/login", (c) => {
    const to = ownPath(c.req.query("to"));
    if (c.get("session") !== null) return c.redirect(to);
    if (!keepsCookies(publicUrl)) return problem(c, house, plainHttp);
    const { address, state, verifier } = authorization.start();
    // One cookie per detour, so that tabs which are opened together do not take each other's.
    cookies.set(c, detourName(state), JSON.stringify({ state, verifier, to }), detourSeconds);
    return c.redirect(address);
  });

  pages.get("/login/callback", async (c) => {
    try {
      const { person, to } = await returned(c, cookies, authorization);
      const before = c.get("session");
      if (before !== null) await house.sessions.end(before.key);
      cookies.set(c, "session", await house.sessions.begin(person), sessionSeconds);
      house.log.info({ person: person.login }, "signed in");
      return c.redirect(to);
    } catch (error) {
      if (!(error instanceof SignInProblem)) throw error;
      house.log.warn({ err: error.cause, problem: error.message }, "sign-in failed");
      return problem(c, house, error);
    }
  });

  pages.get("/-/logout", (c) => {
    const session = c.get("session");
    return c.html(session === null ? signedOutPage(house) : leavingPage(house, session));
  });

  pages.post("/-/logout", async (c) => {
    const session = c.get("session");
    if (session !== null) {
      const { csrf } = await c.req.parseBody();
      if (!isFromOurPage(c, house, csrf)) return c.html(leavingPage(house, session), 403);
      await house.sessions.end(session.key);
    }
    cookies.remove(c, "session");
    return c.redirect("/-/logout", 303);
  });

  return pages;
}

/** The address that a stranger is sent to, and comes back from. */
export function signInAddress(to: string): string {
  return `/login?${new URLSearchParams({ to })}`;
}

async function returned(c: Request, cookies: Cookies, authorization: Authorization) {
  const state = c.req.query("state") ?? "";
  const name = detourName(state);
  const kept = detour.safeParse(jsonOf(cookies.get(c, name)));
  cookies.remove(c, name);
  if (!kept.success || !same(state, kept.data.state)) throw unknownDetour;
  const error = c.req.query("error");
  if (error !== undefined) throw refusal(error);
  const person = await authorization.finish(c.req.query("code") ?? "", kept.data.verifier);
  return { person, to: ownPath(kept.data.to) };
}

const detour = z.object({ state: z.string().min(1), verifier: z.string(), to: z.string() });

/** The state comes from outside; only letters that a cookie's name may have are taken from it. */
function detourName(state: string): string {
  return `login-${state.replace(/[^\w-]/g, "").slice(0, 12)}`;
}

const unknownDetour = new SignInProblem(
  "This sign-in was not begun in this browser, or longer than ten minutes ago.",
  "Sign in again. If that does not help, let the browser keep cookies of this site.",
);

const plainHttp = new SignInProblem(
  "Signalbox is reached by plain http, where nobody can be kept signed in safely.",
  "An administrator puts it behind https and sets PUBLIC_URL to that address.",
);

function problem(c: Request, house: House, why: SignInProblem) {
  return c.html(
    signInProblemPage(house, { what: why.message, advice: why.advice, again: signInAddress(ownPath(c.req.query("to"))) }),
    400,
  );
}

/** A path of ours; everything else leads to the first page, so that nobody is sent elsewhere from our address. */
export function ownPath(to: string | undefined): string {
  const base = "https://signalbox.invalid";
  if (to === undefined || to.length > longestPath || !to.startsWith("/") || !URL.canParse(to, base)) return "/";
  const { origin, pathname, search, hash } = new URL(to, base);
  // "//host", "/\host" and "/<tab>/host" are other hosts to a browser, and to this parser too.
  if (origin !== base || pathname.startsWith("//")) return "/";
  return `${pathname}${search}${hash}`;
}

function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
