import type { Context } from "probot";
import { takeIn } from "../../../deployments/take-in.ts";
import { runOfPayload } from "../../../github/deployments.ts";
import { rememberRepository } from "../../../github/repository.ts";
import type { Services } from "../../../services.ts";
import { receiptOf, repositoryFrom } from "../payloads.ts";

/** Somebody created a deployment. Ours goes on by its wish; a person's is taken in; those of other Apps are left alone. */
export async function deploymentCreated(context: Context<"deployment.created">, services: Services): Promise<void> {
  const repository = repositoryFrom(context.payload);
  await services.database.write((tx) => rememberRepository(tx, repository));
  const { id, sha, ref, task, environment, payload, creator, performed_via_github_app: app } = context.payload.deployment;
  const isOurs = app?.id === services.settings.appId && runOfPayload(payload) !== null;
  if (isOurs || creator === null) return;
  const taken = await takeIn(services, {
    cause: receiptOf(context),
    repository,
    github: Number(id),
    sha,
    ref,
    task,
    environment,
    // A person's token through somebody's App (a chat bot, `gh`) is still the person.
    creator: { login: creator.login, id: creator.id, isPerson: creator.type === "User" },
  });
  if (taken !== "taken in") services.log.info({ deployment: Number(id), environment, because: taken }, "left a deployment alone");
}
