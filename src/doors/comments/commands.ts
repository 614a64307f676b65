import { type Actor, done, type PreparedDeed, refused, refuses } from "../../deeds/actor.ts";
import { approveChecks } from "../../deeds/approve-checks.ts";
import { approveEnvironment } from "../../deeds/approve-environment.ts";
import { cancelRuns } from "../../deeds/cancel-runs.ts";
import { deploy } from "../../deeds/deploy.ts";
import { lock, unlock } from "../../deeds/lock.ts";
import type { PullRequestNow } from "../../deeds/pull-request.ts";
import { retryChecks } from "../../deeds/retry-checks.ts";
import { rollBack } from "../../deeds/roll-back.ts";
import type { Repository } from "../../github/repository.ts";
import type { Cause } from "../../runs/run.ts";
import type { Services } from "../../services.ts";
import { type Command, usages } from "./parse.ts";

/** Where a command was given. */
export interface Place {
  readonly repository: Repository;
  readonly pullRequest: PullRequestNow;
  readonly cause: Cause;
}

/** From a command to its deed. What has to be read from GitHub is read here; the deed itself is one transaction. */
export async function prepare(services: Services, actor: Actor, command: Command, place: Place): Promise<PreparedDeed> {
  const { pullRequest, repository, cause } = place;
  const { sandbox } = services.settings;
  switch (command.kind) {
    case "approve checks":
      return (tx) => approveChecks(tx, actor, { pullRequest, sha: command.sha, sandbox });
    case "retry":
      return (tx) => retryChecks(tx, actor, { pullRequest, check: command.check, sandbox });
    case "cancel":
      return (tx) => cancelRuns(tx, actor, { pullRequest });
    case "approve environment":
      return approveEnvironment(services, actor, { repository, environment: command.environment, sha: command.sha });
    case "deploy": {
      const sha = command.sha === null ? {} : { sha: command.sha };
      const override = command.override === null ? {} : { override: { reason: command.override } };
      return deploy(services, actor, { repository, environment: command.environment, cause, ...sha, ...override });
    }
    case "rollback": {
      const reason = command.reason ?? `rolled back by ${actor.login}`;
      return rollBack(services, actor, { repository, environment: command.environment, reason, cause });
    }
    case "lock":
      return lock(services, actor, { repository, environment: command.environment, reason: command.reason });
    case "unlock":
      return unlock(actor, { repository, environment: command.environment });
    case "help":
      return refuses(done(help));
    case "not understood":
      return refuses(
        refused(`It is written so: \`${usages[command.name] ?? "/help"}\`${command.name === "approve" ? shaHint : ""}`),
      );
  }
}

const shaHint = ", with at least 7 digits of the SHA";

const help = `commands, each at the start of a line, for people who may write to this repository:
- \`/approve <sha>\` lets the checks of a fork's commit run: of this one, not of later ones
- \`/approve <environment> <sha>\` says yes to a commit that waits for an approval
- \`/retry\` runs the checks again that did not pass; \`/retry <check>\` one of them, whatever its result
- \`/cancel\` stops what this pull request has under way
- \`/deploy <environment>\` deploys the branch's head; \`/deploy <environment> <sha>\` a commit of it; \`--override "reason"\`, for maintainers, passes approval, freeze and checks
- \`/rollback <environment>\` puts back what was live before, and locks the environment
- \`/lock <environment> <reason>\` and \`/unlock <environment>\`
- \`/help\``;
