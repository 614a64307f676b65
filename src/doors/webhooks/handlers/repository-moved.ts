import type { Context } from "probot";
import { rememberRepository } from "../../../github/repository.ts";
import type { Services } from "../../../services.ts";
import { repositoryFrom } from "../payloads.ts";

/** A repository has another name, or another owner with whom the App is installed too: from now on it is asked for by that. */
export async function repositoryMoved(
  context: Context<"repository.renamed" | "repository.transferred">,
  { database, log }: Services,
): Promise<void> {
  const { action } = context.payload;
  const repository = repositoryFrom(context.payload);
  await database.write((tx) => rememberRepository(tx, repository));
  log.info({ repository: `${repository.owner}/${repository.name}`, action }, "a repository has another name");
}
