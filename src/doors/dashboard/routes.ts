import { randomBytes } from "node:crypto";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { GitHubProblem } from "../../github/problem.ts";
import { actionRoutes } from "./actions.ts";
import { loadAssets } from "./assets.ts";
import { onlyFromThisMachine, withHeaders } from "./headers.ts";
import type { DashboardOptions, House, Request, Visit } from "./house.ts";
import { answerLive } from "./live-log.ts";
import { answerLines, answerText } from "./log-lines.ts";
import { answerSearch } from "./log-search.ts";
import { deliveryOf, environmentOf, notFound, onlyReaders, onlySignedIn, runOf } from "./only.ts";
import { openOutside } from "./outside.ts";
import { brokenPage, gitHubSilentPage } from "./pages/notice.ts";
import { gitHubRights, openToAll } from "./rights.ts";
import { openSessions } from "./session.ts";
import { showCommit } from "./show/commit.ts";
import { showDeliveries, showDelivery } from "./show/deliveries.ts";
import { showEnvironment } from "./show/environment.ts";
import { showEnvironments } from "./show/environments.ts";
import { showPullRequest } from "./show/pull-request.ts";
import { showRepositories } from "./show/repositories.ts";
import { showRun } from "./show/run.ts";
import { showRuns } from "./show/runs.ts";
import { signInPages, withSession } from "./sign-in.ts";
import { wantsJson } from "./wants-json.ts";

/** The pages for people, one line per address; machines ask for JSON at the same. Everything that is not here is answered with "not found". */
export function createDashboard(options: DashboardOptions): Hono<Visit> {
  const house = furnish(options);
  const pages = new Hono<Visit>();
  pages.onError((error, c) => answerFault(error, c, house));
  pages.notFound((c) => notFound(c, house));

  pages.use(withHeaders(house));
  // It leaves event streams alone, and what says that it must not be transformed.
  pages.use(compress());
  if (house.settings.dashboardAuth.kind === "none") pages.use(onlyFromThisMachine());
  pages.get("/-/files/:version/:name{.+}", (c) => {
    return house.assets.serve(c, c.req.param("version"), c.req.param("name")) ?? notFound(c, house);
  });

  pages.use(withSession(house));
  pages.route("/", signInPages(house));

  const person = onlySignedIn(house);
  const reader = onlyReaders(house, "repository");
  // Those of public repositories may be open to everybody.
  const runReader = onlyReaders(house, "run");
  const logReader = onlyReaders(house, "log");
  pages.get("/", person, (c) => showRepositories(c, house));
  pages.get("/-/config/:owner/:repo/:sha{[0-9a-f]{40}}", person, reader, (c) => showCommit(c, house, c.req.param("sha")));
  pages.get("/:owner/:repo", person, reader, (c) => showEnvironments(c, house));
  pages.get("/:owner/:repo/environments/:environment", person, reader, environmentOf(house, showEnvironment));
  pages.get("/:owner/:repo/pulls/:number", person, reader, (c) => showPullRequest(c, house, c.req.param("number")));
  pages.get("/:owner/:repo/runs", person, reader, (c) => showRuns(c, house));
  pages.get("/:owner/:repo/runs/:id", runReader, runOf(house, showRun));
  pages.get("/:owner/:repo/runs/:id/log", logReader, runOf(house, answerLines));
  pages.get("/:owner/:repo/runs/:id/log.txt", runReader, runOf(house, answerText));
  pages.get("/:owner/:repo/runs/:id/search", logReader, runOf(house, answerSearch));
  pages.get("/:owner/:repo/runs/:id/live", logReader, runOf(house, answerLive));
  pages.get("/:owner/:repo/deliveries", person, reader, (c) => showDeliveries(c, house));
  pages.get("/:owner/:repo/deliveries/:id", person, reader, deliveryOf(house, showDelivery));
  pages.route("/", actionRoutes(house, person, reader));
  return pages;
}

function furnish(options: DashboardOptions): House {
  const { database, github, settings, clock = Date.now, stop = new AbortController().signal } = options;
  return {
    ...options,
    clock,
    stop,
    sessions: openSessions(database, clock),
    rights: settings.dashboardAuth.kind === "none" ? openToAll : gitHubRights(github, database.wake, clock),
    assets: loadAssets(),
    outside: openOutside(options, clock),
    csrf: randomBytes(32).toString("base64url"),
  };
}

/** A fault's message stays in the log: it may tell what is nobody's business. */
function answerFault(error: Error, c: Request, house: House): Response | Promise<Response> {
  const session = c.get("session") ?? null;
  if (error instanceof GitHubProblem) {
    house.log.warn({ err: error }, "GitHub did not say what a visitor may see or do");
    if (wantsJson(c)) return c.json({ error: "GitHub does not answer; try again in a minute" }, 503);
    return c.html(gitHubSilentPage(house, session), 503);
  }
  house.log.error({ err: error, method: c.req.method, path: c.req.path }, "a page broke");
  if (wantsJson(c)) return c.json({ error: "Something broke on our side; the server's log says what" }, 500);
  return c.html(brokenPage(house, session), 500);
}
