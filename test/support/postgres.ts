import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import pg from "pg";

/** A PostgreSQL server of this process's own: on a socket in a temporary folder, without fsync. */
export interface PostgresServer {
  /** The address of a new database: an empty one, or a copy of another that nobody is connected to. */
  createDatabase(copyOf?: string): Promise<string>;
  /** Runs SQL in the database at `url`, on a connection of its own. */
  run(url: string, sql: string): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** Why there is no PostgreSQL for the tests here, or `null`. */
export function postgresIsMissing(): string | null {
  if (binaries() === null) return "PostgreSQL is not installed (apt-get install postgresql)";
  if (userInfo().uid === 0 && ordinaryUser() === null)
    return "PostgreSQL does not run as root, and there is no user postgres or nobody";
  return null;
}

/**
 * Starts it as an unprivileged user when the tests run as root. It dies with this process even when that is killed: a shell holds
 * a pipe to us, and stops the server when the pipe closes.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const bin = binaries();
  if (bin === null) throw new Error(postgresIsMissing() ?? "");
  const user = userInfo().uid === 0 ? ordinaryUser() : null;
  const folder = mkdtempSync(join(tmpdir(), "signalbox-postgres-"));
  if (user !== null) chownSync(folder, user.uid, user.gid);
  const as = (command: readonly string[]): [string, ...string[]] =>
    user === null ? ["env", ...command] : ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", ...command];

  const [initdb, ...initdbArguments] = as([
    join(bin, "initdb"),
    "-D",
    join(folder, "data"),
    "-U",
    "postgres",
    "-A",
    "trust",
    "-N",
    "-E",
    "UTF8",
    "--locale=C",
  ]);
  execFileSync(initdb, initdbArguments, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const settings = ["fsync=off", "full_page_writes=off", "listen_addresses=", "max_connections=200", "shared_buffers=16MB"];
  const server = [join(bin, "postgres"), "-D", join(folder, "data"), "-k", folder, ...settings.flatMap((it) => ["-c", it])];
  const [shell, ...shellArguments] = as(["sh", "-c", '"$@" </dev/null & cat >/dev/null; kill -INT $!; wait $!', "sh", ...server]);
  const keeper = spawn(shell, shellArguments, { cwd: folder, stdio: ["pipe", "ignore", "ignore"] });
  const ended = new Promise<void>((resolve) => keeper.once("exit", () => resolve()));
  const stop = async () => {
    keeper.stdin.end();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };

  const address = (database: string) => `postgres://postgres@localhost/${database}?host=${encodeURIComponent(folder)}`;
  try {
    await untilItAnswers(address("postgres"));
  } catch (error) {
    await stop();
    throw error;
  }
  let count = 0;
  // Twice as fast as through the log; before version 15 there was nothing else.
  const fileCopy = /\/1[0-4]\//.test(bin) ? "" : " strategy file_copy";
  return {
    async createDatabase(copyOf) {
      count += 1;
      const name = `test_${count}`;
      const template = copyOf === undefined ? "template0" : new URL(copyOf).pathname.slice(1);
      await run(address("postgres"), `create database ${name} template ${template}${fileCopy}`);
      return address(name);
    },
    run,
    stop,
  };
}

async function run(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function untilItAnswers(url: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await run(url, "select 1");
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error("PostgreSQL did not start within 30 s", { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Debian keeps each major version in a folder of its own: the newest. */
function binaries(): string | null {
  const versions = "/usr/lib/postgresql";
  if (!existsSync(versions)) return null;
  const newest = readdirSync(versions)
    .filter(
      (version) => existsSync(join(versions, version, "bin", "postgres")) && existsSync(join(versions, version, "bin", "initdb")),
    )
    .toSorted((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? null : join(versions, newest, "bin");
}

function ordinaryUser(): { readonly uid: number; readonly gid: number } | null {
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string) =>
        Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      // Not on this machine: the next one.
    }
  }
  return null;
}
