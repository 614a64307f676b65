import { type Git, GitError } from "./git.ts";

export interface FileChange {
  readonly path: string;
  readonly previousPath: string | null;
  readonly status: "added" | "removed" | "modified" | "renamed";
  readonly blob: string | null;
  readonly additions: number;
  readonly deletions: number;
}

/** The files that differ between two trees or commits, renames found as GitHub finds them. */
export async function readDifferences(git: Git, from: string, to: string): Promise<FileChange[]> {
  const [raw, numbers] = await Promise.all([
    git(["diff-tree", "-r", "-M", "-z", "--raw", "--no-abbrev", from, to]),
    git(["diff-tree", "-r", "-M", "-z", "--numstat", from, to]),
  ]);
  const lines = linesOf(numbers);
  const changes: FileChange[] = [];
  const parts = raw.split("\0");
  for (let at = 0; at < parts.length && parts[at]; ) {
    const [, , , blob = "", letter = ""] = (parts[at] ?? "").split(" ");
    const renamed = letter.startsWith("R");
    const path = parts[at + (renamed ? 2 : 1)] ?? "";
    changes.push({
      path,
      previousPath: renamed ? (parts[at + 1] ?? null) : null,
      status: renamed ? "renamed" : letter === "A" ? "added" : letter === "D" ? "removed" : "modified",
      blob: letter === "D" ? null : blob,
      ...(lines.get(path) ?? { additions: 0, deletions: 0 }),
    });
    at += renamed ? 3 : 2;
  }
  return changes;
}

/** The tree that merging `theirs` into `ours` gives, nothing written to any branch; `null` when they conflict. */
export async function mergedTree(git: Git, ours: string, theirs: string): Promise<string | null> {
  try {
    return (await git(["merge-tree", "--write-tree", "--no-messages", ours, theirs])).trim();
  } catch (problem) {
    if (problem instanceof GitError && problem.exitCode === 1) return null;
    throw problem;
  }
}

/** `null` when the two have no commit in common. */
export async function mergeBase(git: Git, one: string, other: string): Promise<string | null> {
  return git(["merge-base", one, other]).then(
    (sha) => sha.trim(),
    () => null,
  );
}

function linesOf(numstat: string): Map<string, { additions: number; deletions: number }> {
  const found = new Map<string, { additions: number; deletions: number }>();
  const parts = numstat.split("\0");
  for (let at = 0; at < parts.length && parts[at]; ) {
    const [additions = "0", deletions = "0", path = ""] = (parts[at] ?? "").split("\t");
    const renamed = path === ""; // then old and new path follow as entries of their own
    found.set(renamed ? (parts[at + 2] ?? "") : path, { additions: Number(additions) || 0, deletions: Number(deletions) || 0 });
    at += renamed ? 3 : 1;
  }
  return found;
}
