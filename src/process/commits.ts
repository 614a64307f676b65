import { randomUUID } from "node:crypto";
import { GitError, git } from "./git.ts";
import type { History } from "./history.ts";
import { type Fetching, full, type GitSource, type Mirror, tellOf } from "./mirror.ts";
import { newest } from "./newest.ts";
import { turns } from "./turns.ts";

/**
 * What the commits of repositories say. It is fetched when it is not here, held while it is looked up, and remembered: commits never change. All
 * calls may be made at once; what fails throws `GitError`. SHAs have 40 digits.
 */
export interface Commits {
  /** Has trees and ancestors ready for who asks afterwards, of several commits at once. Safe to repeat. */
  learn(source: GitSource, shas: readonly string[]): Promise<void>;
  treeOf(source: GitSource, sha: string): Promise<string>;
  /** A commit is its own ancestor. */
  isAncestor(source: GitSource, ancestor: string, descendant: string): Promise<boolean>;
  /** The files that differ: between the two commits, or since the descendant left the other's history, as a pull request shows it. */
  changedFiles(source: GitSource, from: string, to: string, since: "from" | "merge base"): Promise<readonly string[]>;
}

/** The mirrors, as far as looking something up needs them. */
interface Access {
  hold(source: GitSource, holder: string, shas: readonly string[], fetching: Fetching): Promise<void>;
  release(repositoryId: number, holder: string): Promise<void>;
  read<T>(repositoryId: number, work: (mirror: Mirror) => Promise<T>): Promise<T>;
}

/** Answers from the history that each look adds to; where that does not reach, a process looks, which takes longer than all else. */
export function openCommits({ hold, release, read }: Access, history: History, stop: AbortSignal): Commits {
  const mergeBases = newest<string>(10_000);
  const inTurn = turns<number>();

  async function look<T>(source: GitSource, shas: readonly string[], work: (mirror: Mirror) => Promise<T>): Promise<T> {
    const holder = `look-${randomUUID()}`;
    try {
      await hold(source, holder, shas, { stop, tell: true });
      return await read(source.id, work);
    } finally {
      await release(source.id, holder);
    }
  }

  async function learn(source: GitSource, shas: readonly string[]): Promise<void> {
    const unknown = () => shas.filter((sha) => history.get(source.id, full(sha)) === null);
    if (unknown().length === 0) return;
    await inTurn(source.id, async () => {
      // What went before may have told of them.
      for (let left = unknown(); left.length > 0; left = unknown()) await learnSome(source, left, unknown);
    });
  }

  /** The newest of them at least, with the newest of their history, among which is most of what they are compared with. */
  async function learnSome(source: GitSource, shas: readonly string[], unknown: () => readonly string[]): Promise<void> {
    const doing = `look up ${shas.join(", ")}`;
    await look(source, shas, async ({ folder: repository, setup }) => {
      // The fetch may have told of them.
      const left = unknown();
      if (left.length > 0) history.learn(source.id, (await git(setup, { repository, doing, stop }, tellOf(left))).output);
    });
    if (unknown().length === shas.length) throw new GitError("refused", doing, "that is no commit");
  }

  return {
    learn,
    treeOf: async (source, sha) => {
      await learn(source, [sha]);
      const facts = history.get(source.id, sha);
      if (facts === null) throw new GitError("broken", `find the tree of ${sha}`, "it was told and is forgotten already");
      return facts.tree;
    },
    isAncestor: async (source, ancestor, descendant) => {
      const pair = [ancestor, descendant].toSorted();
      await learn(source, pair);
      const known = history.isAncestor(source.id, ancestor, descendant);
      if (known !== null) return known;
      // One process tells of both directions.
      const base = await mergeBases(`${source.id} ${pair.join(" ")}`, () =>
        look(source, pair, async ({ folder: repository, setup }) => {
          const call = { repository, doing: `compare ${ancestor} with ${descendant}`, answers: [1] };
          return (await git(setup, call, ["merge-base", ...pair])).output.trim();
        }),
      );
      return base === ancestor;
    },
    changedFiles: (source, from, to, since) =>
      look(source, [from, to], async ({ folder: repository, setup }) => {
        const call = { repository, doing: `compare ${from} with ${to}` };
        const base = since === "from" ? [] : ["--merge-base"];
        const options = ["-r", "-z", "--name-only", "--no-renames", ...base];
        const { output } = await git(setup, call, ["diff-tree", ...options, from, to]);
        return output.split("\0").filter(Boolean);
      }),
  };
}
