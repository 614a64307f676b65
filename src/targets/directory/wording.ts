import { OperatorProblem } from "../target.ts";
import type { Tree } from "./source.ts";

/** "213 files (4.1 MB)". */
export function sayAmount(tree: Tree): string {
  const { files, bytes } = sizeOf(tree);
  return `${files} ${files === 1 ? "file" : "files"} (${sayBytes(bytes)})`;
}

function sizeOf({ files, folders }: Tree): { readonly files: number; readonly bytes: number } {
  const own = { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
  return folders
    .map(({ tree }) => sizeOf(tree))
    .reduce((sum, size) => ({ files: sum.files + size.files, bytes: sum.bytes + size.bytes }), own);
}

function sayBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  if (bytes < 999_500) return `${(bytes / 1_000).toPrecision(bytes < 9_950 ? 2 : 3)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

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
