import type { Repository } from "../github/repository.ts";
import { pathsMatch } from "../repository-file/paths.ts";
import type { DeploymentMeans } from "./means.ts";
import { standingRuns } from "./standing.ts";

/**
 * Whether a commit changes what an environment deploys, compared with what is live there. Always so for an environment without `paths`, for
 * its first deployment, and when nobody knows for sure what is live.
 */
export async function isConcerned(
  means: DeploymentMeans,
  repository: Repository,
  { environment, paths, sha }: { readonly environment: string; readonly paths: readonly string[] | null; readonly sha: string },
): Promise<boolean> {
  if (paths === null) return true;
  const standing = await means.database.read((db) => standingRuns(db, repository.id, environment));
  const [live, other] = standing;
  if (live === undefined || other !== undefined) return true;
  if (live.sha === sha) return false;
  const changed = await means.mirrors.changedFiles(means.gitSource(repository), live.sha, sha, "from");
  return pathsMatch(paths, changed);
}
