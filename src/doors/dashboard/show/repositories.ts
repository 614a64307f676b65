import { listRuns } from "../../../runs/read.ts";
import type { House, Request } from "../house.ts";
import { repositoryJson } from "../json/repository.ts";
import { runJson } from "../json/run.ts";
import { repositoriesPage } from "../pages/repositories.ts";
import { visibleRepositories } from "../visible-repositories.ts";
import { wantsJson } from "../wants-json.ts";

export async function showRepositories(c: Request, house: House): Promise<Response> {
  const { repositories, unsure } = await visibleRepositories(house, c.get("session"));
  const views = await house.database.read(async (db) => {
    const found = [];
    for (const repository of repositories) {
      const [newest = null] = await listRuns(db, { repository: repository.id, limit: 1 });
      found.push({ repository, newest });
    }
    return found;
  });
  if (!wantsJson(c)) return c.html(repositoriesPage(house, c.get("session"), { repositories: views, unsure }));
  return c.json({
    repositories: views.map(({ repository, newest }) => ({
      ...repositoryJson(repository),
      newest_run: newest === null ? null : runJson(house, repository, newest),
    })),
    unsure,
  });
}
