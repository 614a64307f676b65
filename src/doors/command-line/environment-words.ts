import { UsageError } from "./usage.ts";

/** What is done to an environment, as it was typed. */
export type EnvironmentCommand =
  | { readonly kind: "deploy"; readonly sha: string | null; readonly override: string | null }
  | { readonly kind: "rollback"; readonly to: string | null; readonly reason: string | null }
  | { readonly kind: "lock"; readonly reason: string }
  | { readonly kind: "unlock" }
  | { readonly kind: "approve"; readonly sha: string }
  | { readonly kind: "cancel"; readonly reason: string | null };

export interface EnvironmentPlace {
  readonly fullName: string;
  readonly environment: string;
}

/** Reads the words behind the name of a command for an environment. SHAs that people type have at least 7 digits. */
export function commandOf(
  name: EnvironmentCommand["kind"],
  words: readonly string[],
  override: string | undefined,
): { readonly command: EnvironmentCommand; readonly place: EnvironmentPlace } {
  const [fullName, environment, ...rest] = words;
  if (fullName === undefined || environment === undefined) throw new UsageError(`${name} needs OWNER/REPO and an ENVIRONMENT`);
  return { command: read(name, rest, override), place: { fullName, environment } };
}

function read(name: EnvironmentCommand["kind"], words: readonly string[], override: string | undefined): EnvironmentCommand {
  const [first, ...more] = words;
  const all = words.join(" ").trim();
  switch (name) {
    case "deploy":
      if (more.length > 0) throw new UsageError(`"${more[0]}" is one word too many: deploy takes one SHA`);
      if (override?.trim() === "") throw new UsageError("--override needs a reason, which the history keeps");
      return { kind: name, sha: first === undefined ? null : shaFrom(first), override: override?.trim() ?? null };
    case "rollback":
      return isSha(first)
        ? { kind: name, to: shaFrom(first), reason: more.join(" ").trim() || null }
        : { kind: name, to: null, reason: all || null };
    case "lock":
      if (all === "") throw new UsageError("lock needs a REASON, which everybody reads who waits for it");
      return { kind: name, reason: all };
    case "unlock":
      if (first !== undefined) throw new UsageError(`"${first}" is one word too many: unlock takes no reason`);
      return { kind: name };
    case "approve":
      if (first === undefined || more.length > 0) throw new UsageError("approve needs the SHA that you have looked at");
      return { kind: name, sha: shaFrom(first) };
    case "cancel":
      return { kind: name, reason: all || null };
  }
}

function isSha(word: string | undefined): word is string {
  return word !== undefined && /^[0-9a-f]{7,40}$/i.test(word);
}

function shaFrom(word: string): string {
  if (isSha(word)) return word.toLowerCase();
  throw new UsageError(`"${word}" is no SHA: write 7 to 40 of its digits`);
}
