import { captureCommand } from "../../process/spawn.ts";
import type { Destination } from "./destination.ts";

/**
 * How people make sure that a key is the server's, and have it known from then on; completes "the host key of … is not known" or "has changed".
 * Where nothing was shown, they ask for it themselves.
 */
export function howToTrust({ host, port }: Destination, keys: readonly ShownKey[]): string {
  const [key] = keys;
  const ask = `ssh-keyscan -p ${port} -t ed25519 ${host}`;
  const shows = key === undefined ? `ask for it with ${ask}` : `it shows ${key.fingerprint}`;
  const file = `/etc/ssh/ssh_host_${key?.type ?? "ed25519"}_key.pub`;
  const line = key === undefined ? "the line" : `this line: ${key.line}`;
  return `${shows}. On that server itself run: ssh-keygen -lf ${file}. When it says the same, add to with.known_hosts, or to the file known_hosts in DATA_DIR of the machine of Signalbox, ${line}`;
}

/** A key that a server shows to whoever asks: nobody has checked that it is the server's. */
export interface ShownKey {
  /** As in the name of its file: "ed25519". */
  readonly type: string;
  /** "ED25519 SHA256:…" */
  readonly fingerprint: string;
  /** As it stands in a `known_hosts`. */
  readonly line: string;
}

/** Asks a server for its best key, which people compare with what they know of it; none when it does not answer within five seconds. */
export async function shownKeys(
  { host, port }: Destination,
  env: Readonly<Record<string, string>>,
): Promise<readonly ShownKey[]> {
  const keys = await say(["ssh-keyscan", "-T", "5", "-t", "ed25519,ecdsa,rsa", "-p", String(port), "--", host], env);
  const lines = keys.split("\n").filter((line) => / (ssh|ecdsa)-\S+ \S+$/.test(line));
  const line = preferred.flatMap((type) => lines.filter((line) => line.includes(` ${type}`)))[0];
  if (line === undefined) return [];
  const [, hash, type] = /^\d+ (\S+) .*\((\S+)\)$/m.exec(await say(["ssh-keygen", "-l", "-f", "-"], env, line)) ?? [];
  return hash === undefined || type === undefined ? [] : [{ type: type.toLowerCase(), fingerprint: `${type} ${hash}`, line }];
}

const preferred = ["ssh-ed25519", "ecdsa-", "ssh-rsa"];

async function say(argv: readonly [string, ...string[]], env: Readonly<Record<string, string>>, input = ""): Promise<string> {
  const { output } = await captureCommand({ argv, cwd: "/", env, input: `${input}\n` });
  return output;
}
