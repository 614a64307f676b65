import { Refusal } from "../release/refusal.ts";
import { OperatorProblem } from "../target.ts";
import type { Destination } from "./destination.ts";
import { howToTrust, shownKeys } from "./host-key.ts";
import { trouble } from "./remote.ts";
import type { Answer, Disconnected } from "./session.ts";

/** A server that could not be reached, or was lost on the way, before anything had changed there. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
  readonly retryable = true;
}

/** Says what ssh's last words mean. `key` is the name of the secret. */
export async function explainedEnd(
  { said }: Disconnected,
  destination: Destination,
  key: string,
  env: Readonly<Record<string, string>>,
): Promise<Error> {
  const { name } = destination;
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed/i.test(said))
    return new Refusal(
      `the host key of ${name} is not the one that is known: somebody may stand in between. When the server was set up anew, remove its old line first; ${howToTrust(destination, await shownKeys(destination, env))}`,
    );
  if (/Host key verification failed|host key is known/i.test(said))
    return new Refusal(`the host key of ${name} is not known; ${howToTrust(destination, await shownKeys(destination, env))}`);
  if (/Load key|invalid format|error in libcrypto|passphrase/i.test(said))
    return new Refusal(`the secret ${key} is no private key that ssh can read without a passphrase`);
  if (/Permission denied \(/i.test(said))
    return new Refusal(`${name} does not accept the key ${key}; add its public half to ~/.ssh/authorized_keys there`);
  if (
    /Could not resolve|Connection (refused|timed out|closed|reset)|No route to host|unreachable|kex_exchange|banner exchange|Operation timed out/i.test(
      said,
    )
  )
    return new Unreachable(`${name} cannot be reached: ${lastLine(said)}`);
  return new Unreachable(`the connection to ${name} ended${said === "" ? "" : `: ${lastLine(said)}`}`);
}

/** Says why a step did not succeed. */
export function explainedStep({ status, output }: Answer, name: string, path: string): Error {
  const said = output.toString("utf8").trim();
  switch (status) {
    case trouble.programMissing:
      return new OperatorProblem(`${name} has no ${said}`, `Install it there; on Debian it is in ${packageOf(said)}`);
    case trouble.notOurCurrent:
      return new Refusal(
        `${path} on ${name} holds something named current that is not a link to a release; move it away or use another path`,
      );
    case trouble.notOurReleases:
      return new Refusal(
        `${path} on ${name} holds something named releases that is not a folder; move it away or use another path`,
      );
    case trouble.sharedMissing:
      return new Refusal(
        `shared: "${said}" is missing on ${name}; put the file into ${path}/shared, or write "${said}/" for a folder`,
      );
    case trouble.releaseMissing:
      return new Refusal(`the release is not on ${name} any more; deploy its commit again`);
  }
  if (/No space left on device/i.test(said))
    return new OperatorProblem(`the disk of ${name} is full`, "Make room there, or set `keep` lower, and deploy again");
  if (/quota exceeded/i.test(said))
    return new OperatorProblem(`the disk quota on ${name} is used up`, "Raise it, or set `keep` lower, and deploy again");
  if (/Permission denied|Operation not permitted|Read-only file system/i.test(said))
    return new OperatorProblem(
      `there is no permission to deploy to ${path} on ${name}`,
      "Make the folder there, writable for the user that deploys",
    );
  if (/Not a directory|File exists/i.test(said))
    return new Refusal(`${path} on ${name} meets something that is no folder: ${lastLine(said)}`);
  return new OperatorProblem(
    `${name} could not do it: ${lastLine(said) || `a command there ended with ${status}`}`,
    "Mend it there and deploy again",
  );
}

function packageOf(program: string): string {
  if (program === "tar") return "tar";
  if (program === "find") return "findutils";
  return program === "head" ? "coreutils" : "util-linux";
}

function lastLine(said: string): string {
  return said.split("\n").at(-1)?.trim() ?? "";
}
