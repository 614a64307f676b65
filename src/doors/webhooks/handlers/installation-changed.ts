import type { Context } from "probot";
import type { Transaction } from "../../../database/connection.ts";
import { setActive } from "../../../github/repository.ts";
import { raiseRefused } from "../../../runs/reports.ts";
import type { Services } from "../../../services.ts";

/** The App was installed, removed, suspended, or allowed again: of what it lost nothing is asked or said until it comes back. */
export async function installationChanged(
  context: Context<
    | "installation.created"
    | "installation.deleted"
    | "installation.suspend"
    | "installation.unsuspend"
    | "installation.new_permissions_accepted"
  >,
  { database, log }: Services,
): Promise<void> {
  const { action, installation } = context.payload;
  const active = action !== "deleted" && action !== "suspend";
  await database.write(async (tx) => {
    await setActive(tx, { installation: installation.id }, active);
    if (action === "new_permissions_accepted") await raiseRefused(tx, installation.id);
    tx.ring("rights");
    if (active) catchUp(tx);
  });
  log.info(
    {
      installation: installation.id,
      account: installation.account && "login" in installation.account ? installation.account.login : null,
      action,
    },
    "installation changed",
  );
}

/** The App was given repositories, or lost them. One that is new is remembered with its first event, which says more about it. */
export async function installationRepositoriesChanged(
  context: Context<"installation_repositories.added" | "installation_repositories.removed">,
  { database, log }: Services,
): Promise<void> {
  const { action, installation, repositories_added: added, repositories_removed: removed } = context.payload;
  await database.write(async (tx) => {
    await setActive(tx, { installation: installation.id, ids: added.map(({ id }) => id) }, true);
    await setActive(tx, { installation: installation.id, ids: removed.flatMap(({ id }) => id ?? []) }, false);
    tx.ring("rights");
    catchUp(tx);
  });
  log.info(
    { installation: installation.id, action, added: added.map(nameOf), removed: removed.map(nameOf) },
    "repositories of an installation changed",
  );
}

/** What could not be said or decided meanwhile. */
function catchUp(tx: Transaction): void {
  tx.ring("reports");
  tx.ring("gates");
}

function nameOf(repository: { readonly full_name?: string | undefined }): string {
  return repository.full_name ?? "?";
}
