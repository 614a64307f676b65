import type { Context } from "probot";
import type { Services } from "../../../services.ts";
import { hearComment } from "../../comments/hear.ts";
import { repositoryFrom } from "../payloads.ts";

/** Somebody commented: obey what a person commands on a pull request. Bots, our own answers among them, command nothing. */
export async function issueCommentCreated(context: Context<"issue_comment.created">, services: Services): Promise<void> {
  const { issue, comment } = context.payload;
  if (issue.pull_request == null || comment.user?.type !== "User") return;
  await hearComment(services, {
    id: comment.id,
    repository: repositoryFrom(context.payload),
    pullRequest: issue.number,
    person: { login: comment.user.login, id: comment.user.id },
    body: comment.body,
    writtenAt: new Date(comment.created_at),
  });
}
