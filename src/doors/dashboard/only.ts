import { createMiddleware } from "hono/factory";
import { findRepositoryByName, type Repository } from "../../github/repository.ts";
import { findRun } from "../../runs/read.ts";
import type { Run } from "../../runs/run.ts";
import { matchesRepository } from "../../settings/repository-pattern.ts";
import type { House, Request, Visit } from "./house.ts";
import { wholeNumber } from "./log-lines.ts";
import { notFoundPage } from "./pages/notice.ts";
import { type Delivery, findDelivery } from "./receipts.ts";
import { signInAddress } from "./sign-in.ts";
import { wantsJson } from "./wants-json.ts";

/** Where people sign in, strangers get no further. */
export function onlySignedIn({ settings }: House) {
  return createMiddleware<Visit>(async (c, next) => {
    if (settings.dashboardAuth.kind === "none" || c.get("session") !== null) return next();
    return refuseStranger(c, "page");
  });
}

/** A script cannot go to GitHub to sign in, so it is told. Whose session ended before a form was sent comes back to the form's page. */
function refuseStranger(c: Request, asks: "page" | "script"): Response {
  if (asks === "script" || wantsJson(c)) return c.json({ error: "Sign in first" }, 401);
  const { pathname, search } = new URL(c.req.url);
  return c.redirect(signInAddress(c.req.method === "GET" ? `${pathname}${search}` : pathname.replace(/\/[^/]+$/, "")), 302);
}

/**
 * Who may not see a repository learns nothing of it, not even that it exists. The runs of a public repository that PUBLIC_LOGS names are open to
 * everybody; a stranger who asks for another one's is asked to sign in, whether it exists or not.
 */
export function onlyReaders(house: House, what: "repository" | "run" | "log") {
  return createMiddleware<Visit>(async (c, next) => {
    const [owner, name] = [c.req.param("owner") ?? "", c.req.param("repo") ?? ""];
    const repository = await house.database.read((db) => findRepositoryByName(db, owner, name));
    const isOpen = what !== "repository" && repository !== null && hasPublicLogs(house, repository);
    const isStranger = house.settings.dashboardAuth.kind === "github" && c.get("session") === null;
    if (isStranger && !isOpen) return refuseStranger(c, what === "log" ? "script" : "page");
    const role = repository === null ? "none" : isStranger ? "none" : await house.rights.role(c.get("session"), repository);
    if (repository === null || (role === "none" && !isOpen)) return notFound(c, house);
    c.set("repository", repository);
    c.set("role", role);
    return next();
  });
}

/** Whether everybody may read a repository's runs: the operator says so, and GitHub shows it to everybody. */
export function hasPublicLogs(
  { settings }: Pick<House, "settings">,
  repository: Repository & { readonly active?: boolean },
): boolean {
  if (repository.private || repository.active === false) return false;
  return settings.publicLogs.some((pattern) => matchesRepository(pattern, `${repository.owner}/${repository.name}`));
}

type Answering<Subject> = (c: Request, house: House, subject: Subject) => Response | Promise<Response>;

/** The run must be one of the repository that the visitor may see. */
export function runOf(house: House, answer: Answering<Run>) {
  return async (c: Request): Promise<Response> => {
    const id = wholeNumber(c.req.param("id"));
    const run = id === null ? null : await house.database.read((db) => findRun(db, id));
    return run === null || run.repository !== c.get("repository").id ? notFound(c, house) : answer(c, house, run);
  };
}

/** The same for a delivery. */
export function deliveryOf(house: House, answer: Answering<Delivery>) {
  return async (c: Request): Promise<Response> => {
    const id = wholeNumber(c.req.param("id"));
    const delivery = id === null ? null : await house.database.read((db) => findDelivery(db, id));
    return delivery === null || delivery.repository !== c.get("repository").id ? notFound(c, house) : answer(c, house, delivery);
  };
}

/** Names of environments are letters, digits, and few other signs, as in the repository's file. */
export function environmentOf(house: House, answer: Answering<string>) {
  return async (c: Request): Promise<Response> => {
    const name = c.req.param("environment") ?? "";
    return /^[A-Za-z0-9][\w.-]{0,99}$/.test(name) ? answer(c, house, name) : notFound(c, house);
  };
}

export function notFound(c: Request, house: House): Response | Promise<Response> {
  if (wantsJson(c)) return c.json({ error: "There is nothing here for you" }, 404);
  return c.html(notFoundPage(house, c.get("session") ?? null), 404);
}
