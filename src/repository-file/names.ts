import { z } from "zod";
import type { Problem } from "./mistake.ts";
import { quote } from "./mistake.ts";

/** What checks and environments may be called: it becomes part of addresses, folders and GitHub's contexts. */
export const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/, {
    error: "is not a name; it must have 1 to 50 letters, digits, dots, hyphens or underscores and start with a letter or digit",
  })
  .describe("1 to 50 letters, digits, dots, hyphens or underscores; the first is a letter or digit");

/** The same for a check, whose context `signalbox/config` would be that of the file's mistakes. */
export const checkName = name.refine((text) => text.toLowerCase() !== "config", {
  error: "is reserved for the mistakes of this file; choose another name",
});

/** Names that only capital letters tell apart: GitHub's contexts do not (https://docs.github.com/rest/commits/statuses). */
export function sameButForCase(group: string, names: readonly string[]): readonly Problem[] {
  const first = new Map<string, string>();
  return names.flatMap((given) => {
    const before = first.get(given.toLowerCase());
    if (before === undefined) first.set(given.toLowerCase(), given);
    return before === undefined
      ? []
      : [{ path: [group, given], problem: `is ${quote(before)} but for capital letters, which GitHub does not tell apart` }];
  });
}
