import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Destination } from "./destination.ts";

/** What opens the servers, on disk only as long as a deployment works. */
export interface Access extends AsyncDisposable {
  readonly key: string;
  readonly knownHosts: string;
}

/**
 * Writes the key and the known host keys to a folder that only our user can enter, beside the workspace: what a crash leaves of it is removed
 * with the workspaces at the next start.
 */
export async function openAccess(
  order: { readonly workspace: string; readonly knownHosts: string },
  { key, knownHosts }: { readonly key: string; readonly knownHosts: string },
): Promise<Access> {
  const folder = `${order.workspace}.ssh`;
  const operators = await readFile(order.knownHosts, "utf8").catch(() => "");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const access = { key: join(folder, "key"), knownHosts: join(folder, "known_hosts") };
  // ssh reads no key without a newline at its end, which the way through a form or a variable takes away, or one with Windows' line ends.
  await writeFile(access.key, `${key.replaceAll("\r", "").trimEnd()}\n`, { mode: 0o600 });
  await writeFile(access.knownHosts, `${operators}\n${knownHosts}\n`, { mode: 0o600 });
  return { ...access, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/**
 * How ssh is called for a remote command. No settings file of the server's user is read: one might name a key of the operator's, which then
 * every repository could use. Host keys are checked, and never accepted because nobody knew another.
 */
export function sshArguments({ user, host, port }: Destination, { key, knownHosts }: Pick<Access, "key" | "knownHosts">) {
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${quoted(knownHosts)}`,
    "UpdateHostKeys=no",
    "IdentitiesOnly=yes",
    `IdentityFile=${quoted(key)}`,
    "ForwardAgent=no",
    "ClearAllForwardings=yes",
    "ControlMaster=no",
    "ConnectTimeout=10",
    "ServerAliveInterval=15",
    "LogLevel=ERROR",
  ].flatMap((option) => ["-o", option]);
  // The login shell may be any; ours is always the same, and reads what to do from its input.
  return ["-F", "none", ...options, "-T", "-p", String(port), ...(user === null ? [] : ["-l", user]), "--", host, "exec /bin/sh"];
}

/** A path in an option: ssh splits it at spaces and fills in what starts with `%` (https://man.openbsd.org/ssh_config). */
function quoted(path: string): string {
  return `"${path.replaceAll("%", "%%")}"`;
}
