/** What a commit says of itself. */
export interface CommitFacts {
  readonly tree: string;
  readonly parents: readonly string[];
}

/** What is known of commits, which never change; those that were asked for last, up to a limit. */
export interface History {
  get(repository: number, sha: string): CommitFacts | null;
  /** Takes in what `git log` wrote in `historyFormat`. */
  learn(repository: number, log: string): void;
  /** Whether a commit is in the history of another, or is it; `null` when too little is known to say, or they are far apart. */
  isAncestor(repository: number, ancestor: string, descendant: string): boolean | null;
}

/** One line for each commit: its own SHA, its tree's, and those of its parents. */
export const historyFormat = "--format=%H %T %P";

/** Commits that a search goes through: beyond that a process looks, whose answer is remembered, and the event loop is not held up. */
const farthest = 500;

export function openHistory(limit: number): History {
  const known = new Map<string, CommitFacts>();

  function get(repository: number, sha: string): CommitFacts | null {
    const key = `${repository} ${sha}`;
    const facts = known.get(key);
    if (facts === undefined) return null;
    known.delete(key);
    known.set(key, facts);
    return facts;
  }

  /** `null` when the search met a commit that is not known, or too many, before it came to the end or to `to`. */
  function reaches(repository: number, from: string, to: string): boolean | null {
    const seen = new Set([from]);
    let [isComplete, steps] = [true, 0];
    // A set hands out what is added while it is gone through.
    for (const sha of seen) {
      if (sha === to) return true;
      steps += 1;
      if (steps > farthest) return null;
      const facts = get(repository, sha);
      if (facts === null) isComplete = false;
      else for (const parent of facts.parents) seen.add(parent);
    }
    return isComplete ? false : null;
  }

  return {
    get,
    learn(repository, log) {
      for (const line of log.split("\n").filter(Boolean)) {
        const [sha = "", tree = "", ...parents] = line.split(" ").filter(Boolean);
        known.set(`${repository} ${sha}`, { tree, parents });
      }
      for (const oldest of known.keys()) {
        if (known.size <= limit) break;
        known.delete(oldest);
      }
    },
    isAncestor(repository, ancestor, descendant) {
      const found = reaches(repository, descendant, ancestor);
      if (found !== null) return found;
      // History has no circles: what is behind a commit is not ahead of it.
      return reaches(repository, ancestor, descendant) === true ? false : null;
    },
  };
}
