import { deploymentsOf, listRuns } from "../../../runs/read.ts";
import { environmentsOf } from "../environments.ts";
import type { House, Request } from "../house.ts";
import { environmentJson } from "../json/environment.ts";
import { repositoryJson } from "../json/repository.ts";
import { runJson } from "../json/run.ts";
import { environmentsPage } from "../pages/environments.ts";
import { viewerOf } from "../viewer.ts";
import { wantsJson } from "../wants-json.ts";

const latestRuns = 10;

export async function showEnvironments(c: Request, house: House): Promise<Response> {
  const repository = c.get("repository");
  const { file, environments } = await environmentsOf(c, house);
  const about = { repository: repository.id, limit: latestRuns };
  const { deployments, latest } = await house.database.read(async (db) => ({
    deployments: await deploymentsOf(db, about),
    latest: await listRuns(db, about),
  }));
  if (!wantsJson(c))
    return c.html(environmentsPage(house, viewerOf(c, house), { repository, file, environments, deployments, latest }));
  return c.json({
    repository: repositoryJson(repository),
    file: file?.kind ?? "unknown",
    environments: environments.map((one) => environmentJson(house, one)),
    latest_deployments: deployments.map((run) => runJson(house, repository, run)),
  });
}
