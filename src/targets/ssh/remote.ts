import { functions } from "./functions.ts";
import { quote } from "./quote.ts";

/** Why a step did not succeed, by the status that its function returns. The others are those of commands, told by what they said. */
export const trouble = {
  programMissing: 10,
  notOurCurrent: 12,
  notOurReleases: 13,
  noBase: 20,
  notComplete: 21,
  sharedMissing: 22,
  releaseMissing: 23,
} as const;

/** Takes the remote shell to the site, which is made when there is none; to be told first. The variables are for the application's commands. */
export function enter(token: string, path: string, env: Readonly<Record<string, string>>): string {
  const variables = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}`);
  // A path that starts with a hyphen or a variable's name for `cd` is none any more.
  const folder = path.startsWith("/") ? path : `./${path}`;
  return [`token=${quote(token)}`, ...variables, functions, `enter ${quote(folder)}`].join("\n");
}

/** A step that calls one of the `functions`. */
export function step(name: StepName, ...words: readonly (string | number)[]): string {
  return [name, ...words.map((word) => quote(String(word)))].join(" ");
}

/** Removes what the release that is built does not take over from the last one. */
export function without(paths: readonly string[]): string {
  const lines: string[] = [];
  // Far below what one command may be given (https://man7.org/linux/man-pages/man2/execve.2.html).
  for (let at = 0; at < paths.length; at += 200)
    lines.push(
      `rm -rf -- ${paths
        .slice(at, at + 200)
        .map(quote)
        .join(" ")}`,
    );
  return ['(cd -- "releases/$part/release" || exit', ...lines.map((line) => `${line} || exit`), ")"].join("\n");
}

type StepName =
  | "lock"
  | "wait_for_lock"
  | "look"
  | "prepare"
  | "share"
  | "start_over"
  | "receive"
  | "complete"
  | "switch"
  | "restart"
  | "check"
  | "keep"
  | "take_back"
  | "forget"
  | "take_away";
