import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { GitHubProblem } from "../../github/problem.ts";
import { findRepositoryByName } from "../../github/repository.ts";
import { findRun } from "../../runs/read.ts";
import type { Run } from "../../runs/run.ts";
import { loadAssets } from "./assets.ts";
import { onlyFromThisMachine, withHeaders } from "./headers.ts";
import type { DashboardOptions, House, Request, Visit } from "./house.ts";
import { answerLive } from "./live-log.ts";
import { answerLines, answerText, wholeNumber } from "./log-lines.ts";
import { brokenPage, gitHubSilentPage, notFoundPage } from "./pages/notice.ts";
import { gitHubRights, openToAll } from "./rights.ts";
import { openSessions } from "./session.ts";
import { signInAddress, signInPages, withSession } from "./sign-in.ts";
import { showCommit, showRepositories, showRepository, showRun, showRuns } from "./views.ts";

/** The pages for people, one line per address. Everything that is not here is answered with the page "not found". */
export function createDashboard(options: DashboardOptions): Hono<Visit> {
  const house = furnish(options);
  const pages = new Hono<Visit>();
  pages.onError((error, c) => answerFault(error, c, house));
  pages.notFound((c) => notFound(c, house));

  pages.use(withHeaders(house));
  if (house.settings.dashboardAuth.kind === "none") pages.use(onlyFromThisMachine());
  pages.get("/-/files/:version/:name{.+}", (c) => {
    return house.assets.serve(c, c.req.param("version"), c.req.param("name")) ?? notFound(c, house);
  });

  pages.use(withSession(house));
  pages.route("/", signInPages(house));

  const person = onlySignedIn(house, (c) => c.redirect(signInAddress(pathOf(c))));
  // A script cannot go to GitHub to sign in, so it is told.
  const known = onlySignedIn(house, (c) => c.text("Sign in first\n", 401));
  const reader = onlyReaders(house);
  pages.get("/", person, (c) => showRepositories(c, house));
  pages.get("/-/config/:owner/:repo/:sha{[0-9a-f]{40}}", person, reader, (c) => showCommit(c, house, c.req.param("sha")));
  pages.get("/:owner/:repo", person, reader, (c) => showRepository(c, house));
  pages.get("/:owner/:repo/runs", person, reader, (c) => showRuns(c, house));
  pages.get("/:owner/:repo/runs/:id", person, reader, (c) => ofRun(c, house, c.req.param("id"), (run) => showRun(c, house, run)));
  pages.get("/:owner/:repo/runs/:id/log", known, reader, (c) =>
    ofRun(c, house, c.req.param("id"), (run) => answerLines(c, house, run)),
  );
  pages.get("/:owner/:repo/runs/:id/log.txt", person, reader, (c) =>
    ofRun(c, house, c.req.param("id"), (run) => answerText(c, house, run)),
  );
  pages.get("/:owner/:repo/runs/:id/live", known, reader, (c) =>
    ofRun(c, house, c.req.param("id"), (run) => answerLive(c, house, run.id)),
  );
  return pages;
}

function furnish(options: DashboardOptions): House {
  const { database, github, settings, clock = Date.now, stop = new AbortController().signal } = options;
  return {
    ...options,
    clock,
    stop,
    sessions: openSessions(database, clock),
    rights: settings.dashboardAuth.kind === "none" ? openToAll : gitHubRights(github, clock),
    assets: loadAssets(),
  };
}

/** Where people sign in, strangers get no further. */
function onlySignedIn({ settings }: House, refuse: (c: Request) => Response) {
  return createMiddleware<Visit>(async (c, next) => {
    if (settings.dashboardAuth.kind === "none" || c.get("session") !== null) return next();
    return refuse(c);
  });
}

function pathOf(c: Request): string {
  const { pathname, search } = new URL(c.req.url);
  return `${pathname}${search}`;
}

/** Who may not see a repository learns nothing of it, not even that it exists. */
function onlyReaders(house: House) {
  return createMiddleware<Visit>(async (c, next) => {
    const [owner, name] = [c.req.param("owner") ?? "", c.req.param("repo") ?? ""];
    const repository = await house.database.read((db) => findRepositoryByName(db, owner, name));
    if (repository === null || !(await house.rights.maySee(c.get("session"), repository))) return notFound(c, house);
    c.set("repository", repository);
    return next();
  });
}

/** The run must be one of the repository that the visitor may see. */
async function ofRun(
  c: Request,
  house: House,
  id: string,
  answer: (run: Run) => Response | Promise<Response>,
): Promise<Response> {
  const number = wholeNumber(id);
  const run = number === null ? null : await house.database.read((db) => findRun(db, number));
  return run === null || run.repository !== c.get("repository").id ? notFound(c, house) : answer(run);
}

function notFound(c: Request, house: House): Response | Promise<Response> {
  return c.html(notFoundPage(house, c.get("session") ?? null), 404);
}

/** A fault's message stays in the log: it may tell what is nobody's business. */
function answerFault(error: Error, c: Request, house: House): Response | Promise<Response> {
  const session = c.get("session") ?? null;
  if (error instanceof GitHubProblem) {
    house.log.warn({ err: error }, "GitHub did not say what a visitor may see");
    return c.html(gitHubSilentPage(house, session), 503);
  }
  house.log.error({ err: error, method: c.req.method, path: c.req.path }, "a page broke");
  return c.html(brokenPage(house, session), 500);
}
