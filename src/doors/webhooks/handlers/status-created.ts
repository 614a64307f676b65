import type { Context } from "probot";
import { isOurs, rememberContext } from "../../../deployments/contexts.ts";
import { stateOfStatus } from "../../../github/contexts.ts";
import { rememberRepository } from "../../../github/repository.ts";
import { wantMergeThought } from "../../../runs/merge-wants.ts";
import type { Services } from "../../../services.ts";
import { repositoryFrom } from "../payloads.ts";

/** Somebody said something of a commit: a deployment may wait for it. Our own statuses come back this way too, and say nothing new. */
export async function statusCreated({ payload }: Context<"status">, { database, settings }: Services): Promise<void> {
  const { sha, context, state, updated_at: updatedAt } = payload;
  if (isOurs(context, settings.contextPrefix)) return;
  const repository = repositoryFrom(payload);
  const said = { context, state: stateOfStatus(state), updatedAt: new Date(updatedAt), app: null };
  await database.write(async (tx) => {
    await rememberRepository(tx, repository);
    await rememberContext(tx, { repository: repository.id, sha }, said);
    await wantMergeThought(tx, repository.id, sha);
  });
}
