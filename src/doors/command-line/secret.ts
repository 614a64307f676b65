import { randomBytes } from "node:crypto";
import { text as readAll } from "node:stream/consumers";
import { keepSecretKey, openSecretKey, secretKey } from "../../secrets/key.ts";
import { listSecrets, nameProblem, removeSecret, resealAll, setSecret } from "../../secrets/store.ts";
import { besideServer } from "./beside-server.ts";
import { UsageError } from "./usage.ts";

/** `secret set OWNER/REPO NAME [--environment ENV]`: the value comes from standard input, so that it is in no history of a shell and no list of processes. */
export async function setSecretCommand(
  repository: string | undefined,
  name: string | undefined,
  environment: string | null,
): Promise<number> {
  if (repository === undefined || name === undefined) throw new UsageError("secret set needs OWNER/REPO and a NAME");
  const problem = nameProblem(name);
  if (problem !== null) throw new UsageError(problem);
  if (process.stdin.isTTY) console.error("Type or paste the value, and end it with Ctrl+D:");
  // One line end is the shell's, not the value's: `echo value | signalbox secret set …`.
  const value = (await readAll(process.stdin)).replace(/\r?\n$/, "");
  if (value === "") throw new Error("The value on standard input is empty; nothing was changed");
  return besideServer(async ({ database, settings, find }) => {
    const { id } = await find(repository);
    const key = openSecretKey(settings.secretKey, settings.dataDir);
    await database.write((tx) => setSecret(tx, key, { repository: id, environment, name }, value));
    console.log(`${name} is set for ${where(repository, environment)}`);
    if (value.length < 4) console.log("It is shorter than 4 characters, so it is not masked in logs");
    return 0;
  });
}

export async function listSecretsCommand(repository: string | undefined): Promise<number> {
  if (repository === undefined) throw new UsageError("secret list needs OWNER/REPO");
  return besideServer(async ({ database, find }) => {
    const { id } = await find(repository);
    const secrets = await database.read((db) => listSecrets(db, id));
    for (const { name, environment, setAt } of secrets)
      console.log(`${name}  ${environment ?? "all environments"}  set ${setAt.toISOString()}`);
    if (secrets.length === 0) console.log(`${repository} has no secrets`);
    return 0;
  });
}

export async function removeSecretCommand(
  repository: string | undefined,
  name: string | undefined,
  environment: string | null,
): Promise<number> {
  if (repository === undefined || name === undefined) throw new UsageError("secret remove needs OWNER/REPO and a NAME");
  return besideServer(async ({ database, find }) => {
    const { id } = await find(repository);
    const removed = await database.write((tx) => removeSecret(tx, { repository: id, environment, name }));
    console.log(
      removed
        ? `${name} is removed from ${where(repository, environment)}`
        : `${where(repository, environment)} has no secret ${name}`,
    );
    return removed ? 0 : 1;
  });
}

/**
 * `secret rotate`: seals all secrets with a new key. The one in the data directory is replaced; one from `SECRET_KEY` is read, new,
 * from standard input. A running server must be restarted: until then it opens no secret, and says so.
 */
export async function rotateSecretKeyCommand(): Promise<number> {
  return besideServer(async ({ database, settings }) => {
    const from = openSecretKey(settings.secretKey, settings.dataDir);
    if (settings.secretKey !== null) {
      const to = secretKey(Buffer.from((await readAll(process.stdin)).trim(), "hex"));
      const count = await database.write((tx) => resealAll(tx, from, to));
      console.log(`${count} secrets are sealed with the new key; set it as SECRET_KEY and restart the server`);
      return 0;
    }
    // Both keys are kept until all is sealed anew, so that a crash at any moment loses nothing.
    const to = secretKey(randomBytes(32), from);
    keepSecretKey(to, settings.dataDir);
    const count = await database.write((tx) => resealAll(tx, to, to));
    keepSecretKey(secretKey(to.bytes), settings.dataDir);
    console.log(`${count} secrets are sealed with the new key; restart the server`);
    return 0;
  });
}

function where(repository: string, environment: string | null): string {
  return environment === null ? repository : `${environment} of ${repository}`;
}
