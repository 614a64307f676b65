import type { SandboxKind } from "../../checks/trust.ts";
import type { Transaction } from "../../database/connection.ts";
import { type Actor, type Answer, done, refused } from "../../deeds/actor.ts";
import { approveChecks } from "../../deeds/approve-checks.ts";
import { cancelRuns } from "../../deeds/cancel-runs.ts";
import type { PullRequestNow } from "../../deeds/pull-request.ts";
import { retryChecks } from "../../deeds/retry-checks.ts";
import { type Command, usages } from "./parse.ts";

/** From a command to its deed. */
export async function obey(
  tx: Transaction,
  actor: Actor,
  command: Command,
  { pullRequest, sandbox }: { readonly pullRequest: PullRequestNow; readonly sandbox: SandboxKind },
): Promise<Answer> {
  switch (command.kind) {
    case "approve checks":
      return approveChecks(tx, actor, { pullRequest, sha: command.sha, sandbox });
    case "retry":
      return retryChecks(tx, actor, { pullRequest, check: command.check, sandbox });
    case "cancel":
      return cancelRuns(tx, actor, { pullRequest });
    case "help":
      return done(help);
    case "approve environment":
      return refused("Approvals of environments are not available yet");
    case "later":
      return refused("Not available yet");
    case "not understood":
      return refused(`It is written so: \`${usages[command.name] ?? "/help"}\`${command.name === "approve" ? shaHint : ""}`);
  }
}

const shaHint = ", with at least 7 digits of the SHA";

const help = `commands, each at the start of a line, for people who may write to this repository:
- \`/approve <sha>\` lets the checks of a fork's commit run: of this one, not of later ones
- \`/retry\` runs the checks again that did not pass; \`/retry <check>\` one of them, whatever its result
- \`/cancel\` stops what this pull request has under way
- \`/help\``;
