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
  const output = await git(["diff-tree", "-r", "-M", "-z", "--raw", "--numstat", "--no-abbrev", from, to]);
  const fields = output.split("\0").values();
  const next = () => fields.next().value ?? "";
  const raw: Omit<FileChange, "additions" | "deletions">[] = [];
  const lines = new Map<string, readonly [additions: number, deletions: number]>();
  // First an entry per file that starts with a colon, then one per file with its numbers; the paths of a rename are fields of their own.
  for (let entry = next(); entry !== ""; entry = next()) {
    if (entry.startsWith(":")) {
      const [, , , blob = "", letter = ""] = entry.split(" ");
      const previousPath = letter.startsWith("R") ? next() : null;
      raw.push({ path: next(), previousPath, status: statusOf(letter), blob: letter === "D" ? null : blob });
    } else {
      const [additions, deletions, path = ""] = entry.split("\t");
      if (path === "") next();
      lines.set(path || next(), [Number(additions) || 0, Number(deletions) || 0]);
    }
  }
  return raw.map((change) => {
    const [additions, deletions] = lines.get(change.path) ?? [0, 0];
    return { ...change, additions, deletions };
  });
}

function statusOf(letter: string): FileChange["status"] {
  if (letter.startsWith("R")) return "renamed";
  return letter === "A" ? "added" : letter === "D" ? "removed" : "modified";
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
