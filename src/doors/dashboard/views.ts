import { lineCount, readLines } from "../../runs/log.ts";
import { attemptsOf, checksOf, listRuns, stepsOf } from "../../runs/read.ts";
import { readingOf } from "../../runs/readings.ts";
import type { Run } from "../../runs/run.ts";
import { environmentsOf } from "./environments.ts";
import type { House, Request } from "./house.ts";
import { wholeNumber } from "./log-lines.ts";
import { commitPage } from "./pages/commit.ts";
import { pathOf } from "./pages/layout.ts";
import { repositoriesPage } from "./pages/repositories.ts";
import { repositoryPage } from "./pages/repository.ts";
import { lookOfAttempt, runPage } from "./pages/run.ts";
import { runsPage } from "./pages/runs.ts";
import { newsOf, stepsNews } from "./run-news.ts";
import { visibleRepositories } from "./visible-repositories.ts";

const latestRuns = 10;
const runsAtOnce = 50;
/** Lines of a log that stand in the page itself. */
const linesAtOnce = 200;
/** Lines before the one that was asked for, so that it is seen in its context. */
const linesBefore = 50;

export async function showRepositories(c: Request, house: House): Promise<Response> {
  const { repositories, unsure } = await visibleRepositories(house, c.get("session"));
  const views = await house.database.read((db) =>
    Promise.all(
      repositories.map(async (repository) => {
        const [newest = null] = await listRuns(db, { repository: repository.id, limit: 1 });
        return { repository, newest };
      }),
    ),
  );
  return c.html(repositoriesPage(house, c.get("session"), { repositories: views, unsure }));
}

export async function showRepository(c: Request, house: House): Promise<Response> {
  const repository = c.get("repository");
  const view = await house.database.read(async (db) => ({
    repository,
    environments: await environmentsOf(db, repository.id),
    latest: await listRuns(db, { repository: repository.id, limit: latestRuns }),
  }));
  return c.html(repositoryPage(house, c.get("session"), view));
}

export async function showRuns(c: Request, house: House): Promise<Response> {
  const repository = c.get("repository");
  const before = wholeNumber(c.req.query("before"));
  const range = { repository: repository.id, limit: runsAtOnce + 1, ...(before === null ? {} : { before }) };
  const runs = await house.database.read((db) => listRuns(db, range));
  return c.html(
    runsPage(house, c.get("session"), { repository, runs: runs.slice(0, runsAtOnce), more: runs.length > runsAtOnce }),
  );
}

export async function showCommit(c: Request, house: House, sha: string): Promise<Response> {
  const repository = c.get("repository");
  const view = await house.database.read(async (db) => ({
    repository,
    sha,
    reading: await readingOf(db, repository.id, sha),
    checks: await checksOf(db, repository.id, sha),
  }));
  return c.html(commitPage(house, c.get("session"), view));
}

/** `?attempt=` shows an older attempt, `?line=` the log around a line; without them it is the end of the newest. */
export async function showRun(c: Request, house: House, run: Run): Promise<Response> {
  const repository = c.get("repository");
  const asked = { attempt: wholeNumber(c.req.query("attempt")), line: wholeNumber(c.req.query("line")) };
  const view = await house.database.read(async (db) => {
    const news = await newsOf(db, run);
    const attempts = await attemptsOf(db, run.id);
    const older = attempts.find(({ number }) => number === asked.attempt && number !== news.attempt);
    const attempt = older?.number ?? news.attempt;
    const look = older === undefined ? news.look : lookOfAttempt(older.number, older.outcome, news);
    const count = await lineCount(db, run.id, attempt);
    const from = asked.line === null ? count - linesAtOnce + 1 : Math.min(asked.line, count) - linesBefore;
    const first = Math.max(1, from);
    const { lines } = await readLines(db, { run: run.id, attempt, from: first, to: first + linesAtOnce - 1 });
    return {
      run,
      repository,
      news,
      attempts,
      steps: older === undefined ? news.steps : stepsNews(await stepsOf(db, run.id, attempt), look),
      log: {
        path: `${pathOf(repository)}/runs/${run.id}`,
        attempt,
        first,
        lines,
        count,
        live: older === undefined && !news.finished,
        look,
      },
    };
  });
  return c.html(runPage(house, c.get("session"), view));
}
