import type { Context } from "probot";
import { rememberRepository } from "../../../github/repository.ts";
import { wantReconsidering } from "../../../runs/reconsidering.ts";
import type { Services } from "../../../services.ts";
import { repositoryFrom } from "../payloads.ts";

/** A deployment's status changed: think the promotions through. What is promoted is decided by our own finished run, not by this event. */
export async function deploymentStatusCreated(context: Context<"deployment_status.created">, services: Services): Promise<void> {
  const repository = repositoryFrom(context.payload);
  const succeeded = context.payload.deployment_status.state === "success";
  await services.database.write(async (tx) => {
    await rememberRepository(tx, repository);
    if (succeeded) await wantReconsidering(tx, repository.id);
  });
}
