import { z } from "zod";

/** An address in a repository's file, which everybody can read. Given back as it was written. */
export function webAddress(): z.ZodType<string> {
  return z
    .string()
    .max(1_000)
    .superRefine((given, context) => {
      const problem = problemWith(given);
      if (problem !== null) context.addIssue({ code: "custom", message: problem });
    });
}

/** The name of a secret, never its value. */
export function secretName(): z.ZodType<string> {
  return z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, {
    error: "must be the name of a secret: letters, digits and underscores; its value never belongs into the file",
  });
}

/** Without a slash at its end. */
export function baseOf(address: string): string {
  return address.replace(/\/+$/, "");
}

function problemWith(given: string): string | null {
  const url = URL.parse(given);
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return "must be an address that starts with https:// or http://";
  if (url.username !== "" || url.password !== "") return "must not contain a user or password: everybody can read it";
  if (url.search !== "" || url.hash !== "") return "must not have a query or a fragment";
  return null;
}
