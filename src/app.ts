import type { Probot } from "probot";
import { checkRunCompleted } from "./doors/webhooks/handlers/check-run-completed.ts";
import { deploymentCreated } from "./doors/webhooks/handlers/deployment-created.ts";
import { deploymentStatusCreated } from "./doors/webhooks/handlers/deployment-status-created.ts";
import { installationChanged, installationRepositoriesChanged } from "./doors/webhooks/handlers/installation-changed.ts";
import { issueCommentCreated } from "./doors/webhooks/handlers/issue-comment-created.ts";
import { mergeGroupDestroyed, mergeGroupRequested } from "./doors/webhooks/handlers/merge-group-requested.ts";
import { pullRequestClosed } from "./doors/webhooks/handlers/pull-request-closed.ts";
import { pullRequestLabeled } from "./doors/webhooks/handlers/pull-request-labeled.ts";
import { pullRequestUpdated } from "./doors/webhooks/handlers/pull-request-updated.ts";
import { pushed } from "./doors/webhooks/handlers/pushed.ts";
import { repositoryChanged, repositoryDeleted } from "./doors/webhooks/handlers/repository-changed.ts";
import { checkRunRerequested, checkSuiteRerequested } from "./doors/webhooks/handlers/rerequested.ts";
import { rightsChanged } from "./doors/webhooks/handlers/rights-changed.ts";
import { statusCreated } from "./doors/webhooks/handlers/status-created.ts";
import type { Services } from "./services.ts";

/** The table of contents: what GitHub tells us, and what we do about it. One listener per event, so that a retry repeats nothing that went well. */
export function app(services: Services): (probot: Pick<Probot, "on">) => void {
  return (probot) => {
    probot.on("pull_request.opened", (context) => pullRequestUpdated(context, services));
    probot.on("pull_request.reopened", (context) => pullRequestUpdated(context, services));
    probot.on("pull_request.synchronize", (context) => pullRequestUpdated(context, services));
    probot.on("pull_request.edited", (context) => pullRequestUpdated(context, services));
    probot.on("pull_request.ready_for_review", (context) => pullRequestUpdated(context, services));
    probot.on("pull_request.converted_to_draft", (context) => pullRequestUpdated(context, services));
    probot.on("pull_request.labeled", (context) => pullRequestLabeled(context, services));
    probot.on("pull_request.unlabeled", (context) => pullRequestLabeled(context, services));
    probot.on("pull_request_review.submitted", (context) => pullRequestLabeled(context, services));
    probot.on("pull_request_review.dismissed", (context) => pullRequestLabeled(context, services));
    probot.on("pull_request.closed", (context) => pullRequestClosed(context, services));
    probot.on("issue_comment.created", (context) => issueCommentCreated(context, services));
    probot.on("push", (context) => pushed(context, services));
    probot.on("merge_group.checks_requested", (context) => mergeGroupRequested(context, services));
    probot.on("merge_group.destroyed", (context) => mergeGroupDestroyed(context, services));
    probot.on("deployment.created", (context) => deploymentCreated(context, services));
    probot.on("deployment_status.created", (context) => deploymentStatusCreated(context, services));
    probot.on("status", (context) => statusCreated(context, services));
    probot.on("check_run.created", (context) => checkRunCompleted(context, services));
    probot.on("check_run.completed", (context) => checkRunCompleted(context, services));
    probot.on("check_run.rerequested", (context) => checkRunRerequested(context, services));
    probot.on("check_suite.rerequested", (context) => checkSuiteRerequested(context, services));
    probot.on("repository.renamed", (context) => repositoryChanged(context, services));
    probot.on("repository.transferred", (context) => repositoryChanged(context, services));
    probot.on("repository.privatized", (context) => repositoryChanged(context, services));
    probot.on("repository.publicized", (context) => repositoryChanged(context, services));
    probot.on("repository.deleted", (context) => repositoryDeleted(context, services));
    probot.on("member", (context) => rightsChanged(context, services));
    probot.on("membership", (context) => rightsChanged(context, services));
    probot.on("organization", (context) => rightsChanged(context, services));
    probot.on("team", (context) => rightsChanged(context, services));
    probot.on("installation.created", (context) => installationChanged(context, services));
    probot.on("installation.deleted", (context) => installationChanged(context, services));
    probot.on("installation.suspend", (context) => installationChanged(context, services));
    probot.on("installation.unsuspend", (context) => installationChanged(context, services));
    probot.on("installation.new_permissions_accepted", (context) => installationChanged(context, services));
    probot.on("installation_repositories.added", (context) => installationRepositoriesChanged(context, services));
    probot.on("installation_repositories.removed", (context) => installationRepositoriesChanged(context, services));
  };
}

/** What somebody listens to, by GitHub's names ("push", "pull_request.opened"); of all else only the GUID is kept. */
export function eventsOf(register: ReturnType<typeof app>): ReadonlySet<string> {
  const names = new Set<string>();
  register({
    on: (name: string | readonly string[]) => {
      for (const one of [name].flat()) names.add(one);
    },
  });
  return names;
}
