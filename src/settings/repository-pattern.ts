import { Wrong } from "./values.ts";

/** `acme/shop`, `acme/*` or `acme/web-*`, in lower case; `*` stands for any characters but a slash. */
export type RepositoryPattern = string & { readonly repositoryPattern: unique symbol };

/** Reads a pattern; the letters that GitHub allows in names of owners and repositories, and `*`. */
export function repositoryPattern(text: string): RepositoryPattern {
  if (!/^[\w*-]+\/[\w.*-]+$/.test(text)) {
    throw new Wrong(`"${text}" is not a repository; write "owner/name" or "owner/*"`);
  }
  return text.toLowerCase() as RepositoryPattern;
}

/** Whether a repository (`owner/name`) is meant; like GitHub, it takes capital and small letters for the same. */
export function matchesRepository(pattern: RepositoryPattern, fullName: string): boolean {
  const parts = pattern.split("*").map((part) => RegExp.escape(part));
  return new RegExp(`^${parts.join("[^/]*")}$`).test(fullName.toLowerCase());
}
