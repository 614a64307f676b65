import { historyOf } from "../../../deeds/read-history.ts";
import { endingsSince } from "../../../deployments/endings.ts";
import { numbersOf, sinceDays } from "../../../deployments/numbers.ts";
import { deploymentsOf } from "../../../runs/read.ts";
import { environmentState } from "../environments.ts";
import type { House, Request } from "../house.ts";
import { environmentJson, historyJson, numbersJson, whyJson } from "../json/environment.ts";
import { runJson } from "../json/run.ts";
import { notFound } from "../only.ts";
import { environmentPage } from "../pages/environment.ts";
import { viewerOf } from "../viewer.ts";
import { wantsJson } from "../wants-json.ts";

const atOnce = 20;
const days = 30;

export async function showEnvironment(c: Request, house: House, name: string): Promise<Response> {
  const repository = c.get("repository");
  const now = house.clock();
  const about = { repository: repository.id, environment: name };
  const file = await house.outside.file(repository);
  const state = await environmentState(c, house, name, file);
  const { deployments, history, endings } = await house.database.read(async (db) => ({
    deployments: await deploymentsOf(db, { repository: repository.id, environment: name, limit: atOnce + 1 }),
    history: await historyOf(db, about),
    endings: await endingsSince(db, about, sinceDays(now, days)),
  }));
  // While the file is not known, nobody can say that there is no such environment.
  if (file !== null && state.plan === null && deployments.length === 0) return notFound(c, house);
  const month = numbersOf(endings, now, days);
  const shown = deployments.slice(0, atOnce);
  if (!wantsJson(c)) {
    const view = { state, month, deployments: shown, more: deployments.length > atOnce, history };
    return c.html(environmentPage(house, viewerOf(c, house), view));
  }
  return c.json({
    ...environmentJson(house, state),
    why: whyJson(state),
    numbers: numbersJson(month),
    deployments: shown.map((run) => runJson(house, repository, run)),
    history: history.map(historyJson),
  });
}
