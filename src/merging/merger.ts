import type { Database } from "../database/connection.ts";
import { type Lookout, startLooking } from "../database/looking.ts";
import { GitHubProblem } from "../github/problem.ts";
import { findRepository } from "../github/repository.ts";
import { type Candidate, isAnyDue, lookAgain, putAside, takeDue } from "./candidates.ts";
import { consider } from "./consider.ts";
import type { MergingMeans } from "./means.ts";

/** Merges pull requests when they are green. Derived from what is true: a lost event costs time, never a wrong merge. */
export function startMerger(means: MergingMeans): Lookout {
  const { database, log } = means;
  return startLooking({
    wake: database.wake,
    topics: ["merges"],
    every: 5_000,
    async look() {
      if (!(await database.read(isAnyDue))) return [];
      const due = await database.write(takeDue);
      return [...Map.groupBy(due, ({ repository }) => repository)].map(([id, candidates]) => ofRepository(means, id, candidates));
    },
    onError: (error) => log.error({ err: error }, "looking for what to merge failed; trying again"),
  });
}

/** At the start of the only server nobody else holds a pull request. */
export async function freeCandidates(database: Database): Promise<void> {
  await database.write((tx) => tx.db.updateTable("merge_candidate").set({ held_until: 0 }).execute());
}

/** One after another: each merge moves the base of the next. Never rejects. */
async function ofRepository(means: MergingMeans, id: number, candidates: readonly Candidate[]): Promise<void> {
  const { database, log } = means;
  try {
    const repository = await database.read((db) => findRepository(db, id));
    const loaded = repository === null ? null : await means.loadFile(repository, repository.defaultBranch);
    const rule = loaded?.kind === "file" ? loaded.file.automerge : null;
    if (repository === null || rule === null) return await letGo(database, candidates, loaded?.kind === "mistakes");
    for (const candidate of candidates)
      await consider(means, repository, rule, candidate).catch((error) => putOff(means, candidate, error));
  } catch (error) {
    for (const candidate of candidates)
      await putOff(means, candidate, error).catch((failure) => log.error({ err: failure }, "a merge's failure was not kept"));
  }
}

/** Without the key nothing is merged, and nothing is asked of GitHub any more; while the file has mistakes it waits. */
async function letGo(database: Database, candidates: readonly Candidate[], isBroken: boolean): Promise<void> {
  await database.write(async (tx) => {
    for (const candidate of candidates) {
      if (isBroken) await putAside(tx, candidate);
      else
        await tx.db
          .deleteFrom("merge_candidate")
          .where("repository", "=", candidate.repository)
          .where("number", "=", candidate.number)
          .where("wanted", "=", candidate.wanted)
          .execute();
    }
  });
}

async function putOff({ database, log }: MergingMeans, candidate: Candidate, error: unknown): Promise<void> {
  const { repository, number: pullRequest, tries } = candidate;
  const isHopeless = error instanceof GitHubProblem && !error.retryable;
  log.warn(
    { err: error, repository, pullRequest },
    isHopeless
      ? "whether to merge cannot be decided until something changes"
      : "whether to merge could not be decided; trying again",
  );
  const until = error instanceof GitHubProblem ? error.retryAt : null;
  const wait = until === null ? Math.min(60_000, 1_000 * 2 ** tries) : Math.max(0, until.getTime() - Date.now());
  await database.write((tx) => (isHopeless ? putAside(tx, candidate) : lookAgain(tx, candidate, wait)));
}
