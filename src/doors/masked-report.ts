import type { Database } from "../database/connection.ts";
import { findRepository, type Repository } from "../github/repository.ts";
import { callbackPath } from "../runs/callbacks.ts";
import { fileEnvironmentOf, type Run } from "../runs/run.ts";
import { createMask } from "../secrets/mask.ts";
import { listSecrets } from "../secrets/store.ts";

export interface Secrets {
  secretsFor(repository: Repository, environment: string | null): (name: string) => Promise<string | null>;
}

interface Call {
  readonly run: Run;
  readonly token: string;
}

/** Words of ours: a secret that happens to be one of them does not make a report unreadable. */
const verdicts = new Set(["result", "live"]);

/**
 * A report without what its sender should have kept to itself: the secrets that its run names, and addresses to call. They are taken out before
 * anything is stored: what was on the disk once is still there in a backup or an unused page when its row has long been emptied.
 */
export async function maskedReport(
  report: unknown,
  call: Call,
  means: Secrets & { readonly database: Database },
): Promise<unknown> {
  const mask = createMask();
  for (const secret of [call.token, ...(await secretsNamedBy(call.run, means))]) mask.add(secret);
  const clean = (text: string) => mask.text(text.replace(addresses, `${callbackPath}***`));
  return Object.fromEntries(
    Object.entries(Object(report)).map(([key, value]) => [key, verdicts.has(key) ? value : withTexts(value, clean)]),
  );
}

/** A run that was begun anew has had others. */
const addresses = new RegExp(`${callbackPath}[\\w-]{43}`, "g");

async function secretsNamedBy(
  run: Run,
  { database, secretsFor }: Parameters<typeof maskedReport>[2],
): Promise<readonly string[]> {
  const [repository, listed] = await database.read(async (db) => [
    await findRepository(db, run.repository),
    await listSecrets(db, run.repository),
  ]);
  if (repository === null) return [];
  const configuration = JSON.stringify(run.configuration);
  const find = secretsFor(repository, run.kind === "check" ? null : fileEnvironmentOf(run));
  const named = new Set(listed.map(({ name }) => name).filter((name) => configuration.includes(JSON.stringify(name))));
  const values = await Promise.all([...named].map(find));
  return values.filter((value) => value !== null);
}

/** With each text in it, keys too, replaced. */
function withTexts(value: unknown, replaced: (text: string) => string): unknown {
  if (typeof value === "string") return replaced(value);
  if (Array.isArray(value)) return value.map((one) => withTexts(one, replaced));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [replaced(key), withTexts(inner, replaced)]));
}
