import { missingContexts } from "../../../checks/missing-contexts.ts";
import { checksOf } from "../../../runs/read.ts";
import { readingOf } from "../../../runs/readings.ts";
import type { House, Request } from "../house.ts";
import { runJson } from "../json/run.ts";
import { missingMeans } from "../missing-means.ts";
import { commitPage } from "../pages/commit.ts";
import { wantsJson } from "../wants-json.ts";

export async function showCommit(c: Request, house: House, sha: string): Promise<Response> {
  const repository = c.get("repository");
  const { reading, checks } = await house.database.read(async (db) => ({
    reading: await readingOf(db, repository.id, sha),
    checks: await checksOf(db, repository.id, sha),
  }));
  const missing = await missingContexts(missingMeans(house), repository, sha);
  if (!wantsJson(c)) return c.html(commitPage(house, c.get("session"), { repository, sha, reading, checks, missing }));
  return c.json({
    sha,
    mistakes: reading.kind === "mistakes" ? reading.mistakes : [],
    checks: checks.map((run) => runJson(house, repository, run)),
    missing: missing.map(({ branch, context }) => ({ branch, context })),
  });
}
