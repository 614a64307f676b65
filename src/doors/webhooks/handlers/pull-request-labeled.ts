import type { Context } from "probot";
import { rememberRepository } from "../../../github/repository.ts";
import { wantMergeOf } from "../../../runs/merge-wants.ts";
import type { Services } from "../../../services.ts";
import { repositoryFrom } from "../payloads.ts";

type Event =
  | "pull_request.labeled"
  | "pull_request.unlabeled"
  | "pull_request_review.submitted"
  | "pull_request_review.dismissed";

/** A label or a review: a pull request may have become one that is merged when it is green, or may be merged now. */
export async function pullRequestLabeled({ payload }: Context<Event>, { database }: Services): Promise<void> {
  const repository = repositoryFrom(payload);
  const { number, head, state } = payload.pull_request;
  if (state !== "open") return;
  await database.write(async (tx) => {
    await rememberRepository(tx, repository);
    await wantMergeOf(tx, { repository: repository.id, number, headSha: head.sha });
  });
}
