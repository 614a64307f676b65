import type { Context } from "probot";
import { isOurs, rememberContext } from "../../../deployments/contexts.ts";
import { contextOfCheckRun } from "../../../github/contexts.ts";
import { rememberRepository } from "../../../github/repository.ts";
import { wantMergeThought } from "../../../runs/merge-wants.ts";
import type { Services } from "../../../services.ts";
import { repositoryFrom } from "../payloads.ts";

/** Another system began or ended a check of a commit: a deployment may wait for it. One that begins anew makes the older result worth nothing. */
export async function checkRunCompleted(
  { payload }: Context<"check_run.created" | "check_run.completed">,
  { database, settings }: Services,
): Promise<void> {
  const said = contextOfCheckRun(payload.check_run);
  if (said.app === settings.appId || isOurs(said.context, settings.contextPrefix)) return;
  const repository = repositoryFrom(payload);
  await database.write(async (tx) => {
    await rememberRepository(tx, repository);
    await rememberContext(tx, { repository: repository.id, sha: payload.check_run.head_sha }, said);
    await wantMergeThought(tx, repository.id, payload.check_run.head_sha);
  });
}
