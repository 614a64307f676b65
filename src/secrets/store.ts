import type { Query, Transaction } from "../database/connection.ts";
import type { SecretKey } from "./key.ts";
import { seal, unseal } from "./seal.ts";

/** Whose a secret is: a repository's, and of one environment of it or of all. */
export interface SecretPlace {
  readonly repository: number;
  readonly environment: string | null;
  readonly name: string;
}

/** As in a shell: letters, digits and `_`. `SIGNALBOX_…` is what every check is told. */
export function nameProblem(name: string): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name)) return `"${name}" is no name of a secret: letters, digits and _, at most 100`;
  if (/^(SIGNALBOX|CI|PATH|HOME)($|_)/i.test(name)) return `"${name}" is a name that Signalbox sets itself`;
  return null;
}

/** Keeps a secret, in the place of the one that was there. */
export async function setSecret(tx: Transaction, key: SecretKey, place: SecretPlace, value: string): Promise<void> {
  const sealed = seal(key, value, textOf(place));
  const row = { ...columnsOf(place), sealed, set_at: tx.now };
  await tx.db
    .insertInto("secret")
    .values(row)
    .onConflict((conflict) => conflict.columns(["repository", "environment", "name"]).doUpdateSet({ sealed, set_at: tx.now }))
    .execute();
}

/** `false` when there was none. */
export async function removeSecret(tx: Transaction, place: SecretPlace): Promise<boolean> {
  const { repository, environment, name } = columnsOf(place);
  const removed = await tx.db
    .deleteFrom("secret")
    .where("repository", "=", repository)
    .where("environment", "=", environment)
    .where("name", "=", name)
    .returning("name")
    .executeTakeFirst();
  return removed !== undefined;
}

export interface ListedSecret extends SecretPlace {
  readonly setAt: Date;
}

/** Names and dates, never values. */
export async function listSecrets(db: Query, repository: number): Promise<readonly ListedSecret[]> {
  const rows = await db
    .selectFrom("secret")
    .select(["environment", "name", "set_at"])
    .where("repository", "=", repository)
    .orderBy("environment")
    .orderBy("name")
    .execute();
  return rows.map((row) => ({
    repository,
    environment: row.environment === "" ? null : row.environment,
    name: row.name,
    setAt: new Date(row.set_at),
  }));
}

/** The value for use in an environment: its own before that of the whole repository; `null` when there is none. Rejects when it cannot be opened. */
export async function readSecret(
  db: Query,
  key: SecretKey,
  { repository, environment, name }: SecretPlace,
): Promise<string | null> {
  const rows = await db
    .selectFrom("secret")
    .select(["environment", "sealed"])
    .where("repository", "=", repository)
    .where("name", "=", name)
    .where("environment", "in", environment === null ? [""] : ["", environment])
    .orderBy("environment", "desc")
    .limit(1)
    .execute();
  const row = rows[0];
  if (row === undefined) return null;
  const place = { repository, environment: row.environment === "" ? null : row.environment, name };
  try {
    return unseal(key, row.sealed, textOf(place));
  } catch (error) {
    const why = Error.isError(error) ? error.message : String(error);
    throw new Error(`The secret ${name} cannot be opened: ${why}; set it again with bin/signalbox secret set`, { cause: error });
  }
}

/** Seals every secret anew, all or none. Returns how many there were. */
export async function resealAll(tx: Transaction, from: SecretKey, to: SecretKey): Promise<number> {
  const rows = await tx.db.selectFrom("secret").selectAll().execute();
  for (const row of rows) {
    const place = { repository: row.repository, environment: row.environment === "" ? null : row.environment, name: row.name };
    await setSecret(tx, to, place, unseal(from, row.sealed, textOf(place)));
  }
  return rows.length;
}

function columnsOf({ repository, environment, name }: SecretPlace): { repository: number; environment: string; name: string } {
  return { repository, environment: environment ?? "", name };
}

/** No two places have the same text: names and environments hold no slash. */
function textOf({ repository, environment, name }: SecretPlace): string {
  return `${repository}/${environment ?? ""}/${name}`;
}
