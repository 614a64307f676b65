import type { Logger } from "pino";
import type { GitHub } from "../../github/github.ts";
import { matchesRepository, type RepositoryPattern, repositoryPattern } from "../../settings/repository-pattern.ts";

/** Whether a repository's file is obeyed. The answer "no" is said once for each repository in the log. */
export type IsAllowed = (fullName: string) => Promise<boolean>;

/**
 * Decides by `ALLOWED_REPOSITORIES`. Without it those of the account that owns the App, which GitHub tells: until it has, the
 * question is retryable.
 */
export function allowList(patterns: readonly RepositoryPattern[] | null, github: GitHub, log: Logger): IsAllowed {
  const said = new Set<string>();
  let known = patterns;
  return async (fullName) => {
    known ??= [repositoryPattern(`${(await github.app()).owner}/*`)];
    const allowed = known.some((pattern) => matchesRepository(pattern, fullName));
    if (!allowed && !said.has(fullName)) {
      said.add(fullName);
      log.warn(
        { repository: fullName, allowed: known },
        "events of a repository that is not in ALLOWED_REPOSITORIES are ignored",
      );
    }
    return allowed;
  };
}
