import { historyOf } from "../../../deeds/read-history.ts";
import { lineCount, readLines } from "../../../runs/log.ts";
import { attemptsOf, stepsOf } from "../../../runs/read.ts";
import type { Run } from "../../../runs/run.ts";
import type { House, Request } from "../house.ts";
import { historyJson } from "../json/environment.ts";
import { attemptJson, runJson, stepJson } from "../json/run.ts";
import { wholeNumber } from "../log-lines.ts";
import { pathOf } from "../pages/layout.ts";
import { lookOfAttempt, runPage } from "../pages/run.ts";
import { newsOf, stepsNews } from "../run-news.ts";
import { viewerOf } from "../viewer.ts";
import { wantsJson } from "../wants-json.ts";
import { waysOn } from "../ways-on.ts";

/** Lines of a log that stand in the page itself. */
const linesAtOnce = 200;
/** Lines before the one that was asked for, so that it is seen in its context. */
const linesBefore = 50;

/** `?attempt=` shows an older attempt, `?line=` the log around a line; without them it is the first error of the newest, or its end. */
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
    const firstError = attempts.find(({ number }) => number === attempt)?.firstError ?? null;
    const went = look === "failed" || look === "errored" || look === "lost";
    const target = asked.line ?? (went ? firstError : null);
    const from = target === null ? count - linesAtOnce + 1 : Math.min(target, count) - linesBefore;
    const first = Math.max(1, from);
    const part = await readLines(db, { run: run.id, attempt, from: first, to: first + linesAtOnce - 1 });
    return {
      run,
      repository,
      news,
      attempts,
      history: await historyOf(db, { run: run.id }),
      steps: older === undefined ? news.steps : stepsNews(await stepsOf(db, run.id, attempt), look),
      log: {
        path: `${pathOf(repository)}/runs/${run.id}`,
        attempt,
        ...part,
        first,
        count,
        firstError: went ? firstError : null,
        live: older === undefined && !news.finished,
        look,
      },
    };
  });
  if (!wantsJson(c)) {
    const viewer = viewerOf(c, house);
    const leadsOn = viewer.doer !== null && run.kind === "deployment" && run.state === "finished";
    return c.html(runPage(house, viewer, { ...view, ways: leadsOn ? await waysOn(house, repository, run) : null }));
  }
  return c.json({
    ...runJson(house, repository, run),
    attempts: view.attempts.map(attemptJson),
    steps: view.steps.map(stepJson),
    log: {
      attempt: view.log.attempt,
      lines: view.log.count,
      first_error: view.log.firstError,
      text: `${house.settings.publicUrl}${view.log.path}/log.txt?attempt=${view.log.attempt}`,
    },
    history: view.history.map(historyJson),
  });
}
