import type { Context } from "probot";
import { rememberRepository, setActive } from "../../../github/repository.ts";
import type { Services } from "../../../services.ts";
import { repositoryFrom } from "../payloads.ts";

/**
 * A repository has another name, another owner with whom the App is installed too, or is to be seen by others than before: from now on it is
 * asked for by that name, and who may see it is asked anew.
 */
export async function repositoryChanged(
  context: Context<"repository.renamed" | "repository.transferred" | "repository.privatized" | "repository.publicized">,
  { database, log }: Services,
): Promise<void> {
  const { action } = context.payload;
  const repository = repositoryFrom(context.payload);
  await database.write(async (tx) => {
    await rememberRepository(tx, repository);
    tx.ring("rights");
  });
  log.info({ repository: `${repository.owner}/${repository.name}`, action }, "a repository has changed");
}

/** It is gone: nothing is asked of GitHub for it any more, and nobody may see it. */
export async function repositoryDeleted(context: Context<"repository.deleted">, { database, log }: Services): Promise<void> {
  const { id, installation, owner, name } = repositoryFrom(context.payload);
  await database.write(async (tx) => {
    await setActive(tx, { installation, ids: [id] }, false);
    tx.ring("rights");
  });
  log.info({ repository: `${owner}/${name}` }, "a repository was deleted");
}
