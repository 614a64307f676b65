import { plainLines } from "./plain-lines.ts";

/** What one line of a comment asks for. */
export type Command =
  | { readonly kind: "approve checks"; readonly sha: string }
  | { readonly kind: "approve environment"; readonly environment: string; readonly sha: string }
  | { readonly kind: "retry"; readonly check: string | null }
  | { readonly kind: "cancel" }
  | { readonly kind: "help" }
  | { readonly kind: "deploy"; readonly environment: string; readonly sha: string | null; readonly override: string | null }
  | { readonly kind: "rollback"; readonly environment: string; readonly reason: string | null }
  | { readonly kind: "lock"; readonly environment: string; readonly reason: string }
  | { readonly kind: "unlock"; readonly environment: string }
  /** Ours by its name, but not as we know it. */
  | { readonly kind: "not understood"; readonly name: string };

/** How each command is written, for `/help` and for who mistyped one. */
export const usages: Readonly<Record<string, string>> = {
  approve: "/approve <sha>` or `/approve <environment> <sha>",
  retry: "/retry [check]",
  cancel: "/cancel",
  help: "/help",
  deploy: '/deploy <environment> [sha] [--override "reason"]',
  rollback: "/rollback <environment> [reason]",
  lock: "/lock <environment> <reason>",
  unlock: "/unlock <environment>",
};

/**
 * Reads the commands of a comment, in their order: lines that begin with one, where GitHub shows them as plain text. What begins with a
 * slash and is none of ours (other bots have theirs) is no command. Takes time in proportion to the text, whatever it contains.
 */
export function parseComment(body: string): readonly Command[] {
  if (!body.includes("/")) return [];
  return plainLines(body).flatMap((line) => commandOf(line) ?? []);
}

function commandOf(line: string): Command | null {
  if (!line.startsWith("/")) return null;
  const [first = "", ...words] = line.slice(1).trimEnd().split(/\s+/);
  const name = first.toLowerCase();
  if (!Object.hasOwn(usages, name)) return null;
  return understood(name, words) ?? { kind: "not understood", name };
}

function understood(name: string, words: readonly string[]): Command | null {
  const [first, second] = words;
  switch (name) {
    case "approve":
      if (words.length === 1 && isSha(first)) return { kind: "approve checks", sha: first.toLowerCase() };
      if (words.length === 2 && first !== undefined && isSha(second))
        return { kind: "approve environment", environment: first, sha: second.toLowerCase() };
      return null;
    case "retry":
      return words.length > 1 ? null : { kind: "retry", check: first ?? null };
    case "cancel":
    case "help":
      return words.length > 0 ? null : { kind: name };
    case "deploy":
      return first === undefined ? null : deploy(first, words.slice(1));
    case "rollback":
      return isEnvironment(first) ? { kind: name, environment: first, reason: words.slice(1).join(" ") || null } : null;
    case "lock":
      return isEnvironment(first) && second !== undefined
        ? { kind: name, environment: first, reason: words.slice(1).join(" ") }
        : null;
    case "unlock":
      return isEnvironment(first) && second === undefined ? { kind: name, environment: first } : null;
    default:
      return null;
  }
}

/** The reason to break the glass stands in quotes, so that none is given by accident. */
function deploy(environment: string, words: readonly string[]): Command | null {
  if (!isEnvironment(environment)) return null;
  const at = words.indexOf("--override");
  const [sha = null, ...more] = at < 0 ? words : words.slice(0, at);
  if (more.length > 0 || (sha !== null && !isSha(sha))) return null;
  if (at < 0) return { kind: "deploy", environment, sha, override: null };
  const reason = /^["“](.*\S.*)["”]$/.exec(words.slice(at + 1).join(" "))?.[1];
  return reason === undefined ? null : { kind: "deploy", environment, sha, override: reason };
}

function isEnvironment(word: string | undefined): word is string {
  return word !== undefined && /^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/.test(word);
}

/** SHAs that people type have at least 7 digits. */
function isSha(word: string | undefined): word is string {
  return word !== undefined && /^[0-9a-f]{7,40}$/i.test(word);
}
