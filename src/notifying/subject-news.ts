import type { Query, Transaction } from "../database/connection.ts";
import { configurationOf } from "../deployments/configuration.ts";
import type { Repository } from "../github/repository.ts";
import { deciding } from "../runs/deciding.ts";
import { checksOf, findRun } from "../runs/read.ts";
import { subjectFromText } from "../runs/reports.ts";
import type { CheckRun, DeploymentRun } from "../runs/run.ts";
import { keepStanding, lineOf } from "./lines.ts";
import type { NotifyingMeans } from "./means.ts";
import { type News, newsOfChecks, newsOfDeployment, type Surroundings } from "./news.ts";

/** What a subject is worth telling, without regard to what was before. */
export async function newsNow(db: Query, subject: string, means: NotifyingMeans, repository: Repository): Promise<News | null> {
  const found = await find(db, subject, repository.id);
  return found === null ? null : found.news(surroundings(means, repository, null));
}

/** The same with what was before, which is kept for those that come after. */
export async function newsInItsLine(
  tx: Transaction,
  subject: string,
  means: NotifyingMeans,
  repository: Repository,
): Promise<News | null> {
  const found = await find(tx.db, subject, repository.id);
  const news = found?.news(surroundings(means, repository, null)) ?? null;
  if (found === null || news === null || found.line === null || (news.mood !== "good" && news.mood !== "bad")) return news;
  const { line, newest } = found;
  const before = await keepStanding(tx, { repository: repository.id, line, subject, newest, mood: news.mood });
  return found.news(surroundings(means, repository, before));
}

function surroundings(
  { settings }: NotifyingMeans,
  { owner, name }: Repository,
  before: Surroundings["before"],
): Omit<Surroundings, "override"> {
  return { repository: `${owner}/${name}`, publicUrl: settings.publicUrl, before };
}

interface Found {
  readonly line: string | null;
  readonly newest: number;
  news(around: Omit<Surroundings, "override">): News | null;
}

/** A check is told as part of its commit, so a check's own subject is no news. */
async function find(db: Query, text: string, repository: number): Promise<Found | null> {
  const subject = subjectFromText(text);
  switch (subject.kind) {
    case "run": {
      const run = await findRun(db, subject.id);
      return run?.kind === "deployment" ? deploymentNews(run) : null;
    }
    case "commit":
      return checkNews(deciding(await checksOf(db, repository, subject.sha)));
    case "file":
    case "previews":
    case "environment":
      return null;
  }
}

function deploymentNews(run: DeploymentRun): Found {
  const override = configurationOf(run)?.override ?? null;
  return { line: lineOf(run), newest: run.id, news: (around) => newsOfDeployment(run, { ...around, override }) };
}

function checkNews(runs: readonly CheckRun[]): Found | null {
  const [first] = runs;
  if (first === undefined) return null;
  const newest = Math.max(...runs.map(({ id }) => id));
  return { line: lineOf(first), newest, news: (around) => newsOfChecks(runs, { ...around, override: null }) };
}
