import { quote } from "./mistake.ts";
import { text } from "./text.ts";

/** A folder of a check's `cache`. It is compared with nothing on a disk here, so it must be plain: whoever uses it goes down part by part. */
export const cachePath = text(200)
  .superRefine((given, context) => {
    const problem = problemOf(given);
    if (problem !== null) context.addIssue({ code: "custom", message: `${quote(given)} ${problem}` });
  })
  .transform((given) => given.replace(/\/$/, ""));

function problemOf(path: string): string | null {
  if (path.startsWith("/")) return "must be below ~ or in the repository: start it with ~/, or without /";
  if (/^~[^/]/.test(path)) return "is the HOME of somebody else; write ~/ and a folder";
  const parts = path.replace(/^~\/?/, "").replace(/\/$/, "").split("/");
  if (parts[0] === "") return "is all of it; name a folder in it";
  if (parts.some((part) => part === "" || part === "." || part === "..")) return "must have no empty part, . or .. in it";
  if (/[\p{Cc}*?$]/u.test(path)) return "must be one folder, without *, ? and $";
  // What lies there decides what git does.
  return !path.startsWith("~") && parts[0]?.toLowerCase() === ".git" ? "is git's own; name another folder" : null;
}
