import { sql } from "kysely";
import { listSecrets } from "../secrets/store.ts";
import type { FileInUse } from "./files-in-use.ts";
import { doubtful, type Finding, fine, wrong } from "./finding.ts";
import type { DoctorMeans } from "./means.ts";

/** Whether the database answers and is whole. Opening it brought its tables up to date. */
export async function examineDatabase({ database, settings }: DoctorMeans): Promise<readonly Finding[]> {
  const where = settings.databaseUrl === null ? `SQLite in ${settings.dataDir}` : "PostgreSQL";
  if (database.engine === "postgres") {
    await database.read((db) => sql`select 1`.execute(db));
    return [fine("database", `${where} answers`)];
  }
  const { rows } = await database.read((db) => sql<{ quick_check: string }>`pragma quick_check(1)`.execute(db));
  const said = rows[0]?.quick_check ?? "nothing";
  return [
    said === "ok"
      ? fine("database", `${where} is whole`)
      : wrong("database", `${where} is damaged: ${said}`, "stop the server and restore a backup"),
  ];
}

/** Whether the secrets that files name are set. */
export async function examineSecrets({ database }: DoctorMeans, files: readonly FileInUse[]): Promise<readonly Finding[]> {
  const missing: Finding[] = [];
  for (const { repository, file } of files) {
    const set = new Set((await database.read((db) => listSecrets(db, repository.id))).map(({ name }) => name));
    const named = file.notify.flatMap(({ address, key }) => [address, ...(key === null ? [] : [key])]);
    const plans = [...Object.values(file.checks), ...Object.values(file.environments)];
    const of = `${repository.owner}/${repository.name}`;
    for (const name of new Set([...named, ...plans.flatMap((plan) => secretsNamedIn(plan.with))]))
      if (!set.has(name))
        missing.push(
          doubtful("secrets", `${of} names the secret ${name}, which is not set`, `bin/signalbox secret set ${of} ${name}`),
        );
  }
  return missing;
}

/** What the options of runners and targets call the name of a secret. */
const namingOne = ["key", "secret", "token", "credentials"];

function secretsNamedIn(options: Readonly<Record<string, unknown>>): readonly string[] {
  const several = Array.isArray(options.secrets) ? options.secrets : [];
  return [...namingOne.map((name) => options[name]), ...several].filter((name) => typeof name === "string");
}

/** Whether the chats take what they are told. */
export async function examineChats({ database }: DoctorMeans): Promise<readonly Finding[]> {
  const rows = await database.read((db) =>
    db
      .selectFrom("chat")
      .innerJoin("repository", "repository.id", "chat.repository")
      .select(["repository.owner", "repository.name", "chat.chat", "chat.problem"])
      .where("chat.problem", "is not", null)
      .execute(),
  );
  return rows.map(({ owner, name, chat, problem }) =>
    doubtful(
      "chats",
      `${chat} of ${owner}/${name} is not told: ${problem}`,
      `set the address anew: bin/signalbox secret set ${owner}/${name} ${chat.split(" ")[1]}`,
    ),
  );
}
