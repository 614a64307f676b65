import type { Query, Transaction } from "../database/connection.ts";

/** A repository as GitHub's events name it. The id outlives renames; owner and name are how it is called now. */
export interface Repository {
  readonly id: number;
  readonly installation: number;
  readonly owner: string;
  readonly name: string;
  readonly defaultBranch: string;
  readonly cloneUrl: string;
  readonly private: boolean;
}

/** Keeps what an event said of its repository; the newest event wins. */
export async function rememberRepository(tx: Transaction, repository: Repository): Promise<void> {
  const row = {
    id: repository.id,
    installation: repository.installation,
    owner: repository.owner,
    name: repository.name,
    default_branch: repository.defaultBranch,
    clone_url: repository.cloneUrl,
    private: repository.private ? 1 : 0,
    active: 1,
  };
  await tx.db
    .insertInto("repository")
    .values(row)
    .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
    .execute();
}

/** The App lost these repositories (or gained them again): nothing is asked of GitHub for them meanwhile. */
export async function setActive(
  tx: Transaction,
  which: { readonly installation: number; readonly ids?: readonly number[] },
  active: boolean,
): Promise<void> {
  let update = tx.db
    .updateTable("repository")
    .set({ active: active ? 1 : 0 })
    .where("installation", "=", which.installation);
  if (which.ids !== undefined) update = update.where("id", "in", which.ids.length === 0 ? [-1] : [...which.ids]);
  await update.execute();
}

export async function findRepository(db: Query, id: number): Promise<(Repository & { readonly active: boolean }) | null> {
  const row = await db.selectFrom("repository").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined ? null : fromRow(row);
}

/** By the name people type, whatever its case, as on GitHub. Of two rows (a name was given away) the active one. */
export async function findRepositoryByName(
  db: Query,
  owner: string,
  name: string,
): Promise<(Repository & { readonly active: boolean }) | null> {
  const row = await db
    .selectFrom("repository")
    .selectAll()
    .where((is) => is(is.fn<string>("lower", ["owner"]), "=", owner.toLowerCase()))
    .where((is) => is(is.fn<string>("lower", ["name"]), "=", name.toLowerCase()))
    .orderBy("active", "desc")
    .orderBy("id", "desc")
    .executeTakeFirst();
  return row === undefined ? null : fromRow(row);
}

interface Row {
  readonly id: number;
  readonly installation: number;
  readonly owner: string;
  readonly name: string;
  readonly default_branch: string;
  readonly clone_url: string;
  readonly private: number;
  readonly active: number;
}

function fromRow(row: Row): Repository & { readonly active: boolean } {
  return {
    id: row.id,
    installation: row.installation,
    owner: row.owner,
    name: row.name,
    defaultBranch: row.default_branch,
    cloneUrl: row.clone_url,
    private: row.private === 1,
    active: row.active === 1,
  };
}
