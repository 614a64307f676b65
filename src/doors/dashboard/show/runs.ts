import { listRuns, namesOf } from "../../../runs/read.ts";
import type { House, Request } from "../house.ts";
import { runJson } from "../json/run.ts";
import { wholeNumber } from "../log-lines.ts";
import type { Look } from "../pages/icons.ts";
import { pathOf } from "../pages/layout.ts";
import { wordFor } from "../pages/look.ts";
import { runsPage } from "../pages/runs.ts";
import { viewerOf } from "../viewer.ts";
import { wantsJson } from "../wants-json.ts";

const atOnce = 50;

/** `?name=` of a check or an environment, `?state=` of the words in `Look`, `?before=` the id of the last one seen. */
export async function showRuns(c: Request, house: House): Promise<Response> {
  const repository = c.get("repository");
  const filter = { name: c.req.query("name") || null, look: lookFrom(c.req.query("state")) };
  const before = wholeNumber(c.req.query("before"));
  const { runs, names } = await house.database.read(async (db) => ({
    names: await namesOf(db, repository.id),
    runs: await listRuns(db, {
      repository: repository.id,
      limit: atOnce + 1,
      ...(before === null ? {} : { before }),
      ...(filter.name === null ? {} : { name: filter.name }),
      ...(filter.look === null ? {} : { look: filter.look }),
    }),
  }));
  const [shown, more] = [runs.slice(0, atOnce), runs.length > atOnce];
  if (!wantsJson(c)) return c.html(runsPage(house, viewerOf(c, house), { repository, runs: shown, more, names, filter }));
  const query = new URLSearchParams(new URL(c.req.url).search);
  query.set("before", String(shown.at(-1)?.id ?? 0));
  return c.json({
    runs: shown.map((run) => runJson(house, repository, run)),
    next: more ? `${house.settings.publicUrl}${pathOf(repository)}/runs?${query}` : null,
  });
}

function lookFrom(text: string | undefined): Look | null {
  return text !== undefined && Object.hasOwn(wordFor, text) ? (text as Look) : null;
}
