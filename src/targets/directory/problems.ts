import { OperatorProblem } from "../target.ts";

/** The trouble that the operator can mend, told from an error of the file system; everything else as it is. */
export function explained(error: unknown, path: string): unknown {
  if (!Error.isError(error) || !("code" in error)) return error;
  const cause = { cause: error };
  switch (error.code) {
    case "ENOSPC":
      return new OperatorProblem(`the disk of ${path} is full`, "Make room there, or set `keep` lower, and deploy again", cause);
    case "EDQUOT":
      return new OperatorProblem(
        `the disk quota of ${path} is used up`,
        "Raise it, or set `keep` lower, and deploy again",
        cause,
      );
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new OperatorProblem(`the server lacks a permission to deploy to ${path}`, permissionFix, cause);
  }
  return error;
}

const permissionFix = "Make the folder writable, and every file of the checkout readable, for the server's user";
