import { captureCommand } from "../../process/spawn.ts";
import type { Destination } from "./destination.ts";

/** A key that a server shows to whoever asks: nobody has checked that it is the server's. */
export interface ShownKey {
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
  return hash === undefined ? [] : [{ fingerprint: `${type} ${hash}`, line }];
}

const preferred = ["ssh-ed25519", "ecdsa-", "ssh-rsa"];

async function say(argv: readonly [string, ...string[]], env: Readonly<Record<string, string>>, input = ""): Promise<string> {
  const { output } = await captureCommand({ argv, cwd: "/", env, input: `${input}\n` });
  return output;
}
