import type { Transaction } from "../database/connection.ts";
import { type Merged, mergePullRequest, readMergeable } from "../github/merging.ts";
import type { Repository } from "../github/repository.ts";
import type { Automerge } from "../repository-file/repository-file.ts";
import { deciding } from "../runs/deciding.ts";
import { checksOf } from "../runs/read.ts";
import { type Candidate, forget, lookAgain, putAside } from "./candidates.ts";
import { decideMerge, isWanted, type MergeVerdict } from "./decide.ts";
import type { MergingMeans } from "./means.ts";
import { foreignNeeded, ownNeeded, stateOf } from "./needed.ts";
import { sayWhyNot } from "./say.ts";

/**
 * Thinks one pull request through and merges it when it is green. Decided from what is true now, so it may be done at any time and again;
 * that it is to be merged is stored before GitHub is asked, and what is merged is found to be so.
 */
export async function consider(
  means: MergingMeans,
  repository: Repository,
  rule: Automerge,
  candidate: Candidate,
): Promise<void> {
  const { database } = means;
  const pull = await readMergeable(means.github.as(repository.installation), repository, candidate.number);
  if (pull.state !== "open")
    return database.write(async (tx) => {
      // GitHub was asked, and its answer never arrived.
      if (pull.state === "merged" && candidate.askedSha !== null) await record(tx, candidate, candidate.askedSha);
      await forget(tx, candidate);
    });
  await keepHead(means, candidate, pull.headSha);
  const own = isWanted(rule, pull) ? await ownNeeded(means, repository, pull) : [];
  const isGreen = own.every(({ state }) => state === "passed");
  const foreign = isWanted(rule, pull) && isGreen ? await foreignNeeded(means, repository, pull) : [];
  await act(means, repository, candidate, decideMerge({ rule, pull, needed: [...own, ...foreign] }));
}

async function act(means: MergingMeans, repository: Repository, candidate: Candidate, verdict: MergeVerdict): Promise<void> {
  const { database } = means;
  switch (verdict.kind) {
    case "leave":
    case "wait":
      return database.write((tx) => putAside(tx, candidate));
    case "ask again":
      return lookAgainSoon(means, candidate);
    case "say":
      await sayWhyNot(means, repository, candidate, verdict.why);
      return database.write((tx) => putAside(tx, candidate));
    case "merge":
      return merge(means, repository, candidate, verdict);
  }
}

async function merge(
  means: MergingMeans,
  repository: Repository,
  candidate: Candidate,
  { sha, method }: Extract<MergeVerdict, { kind: "merge" }>,
): Promise<void> {
  const { database } = means;
  const isStored = await database.write((tx) => storeWish(tx, candidate, sha));
  if (!isStored) return database.write((tx) => lookAgain(tx, candidate, 0));
  const merged = await mergePullRequest(means.github.as(repository.installation), repository, {
    number: candidate.number,
    sha,
    method,
  });
  switch (merged.kind) {
    case "merged":
      means.log.info({ repository: repository.id, pullRequest: candidate.number, sha }, "merged when green");
      return database.write(async (tx) => {
        await record(tx, candidate, sha);
        await forget(tx, candidate);
      });
    case "head moved":
      return lookAgainSoon(means, candidate);
    case "refused":
    case "not permitted":
      return refused(means, repository, candidate, merged);
  }
}

/** What holds it back is said, unless it was merged in the same moment, by a person or a server that died. */
async function refused(
  means: MergingMeans,
  repository: Repository,
  candidate: Candidate,
  merged: Extract<Merged, { kind: "refused" | "not permitted" }>,
): Promise<void> {
  const { state } = await readMergeable(means.github.as(repository.installation), repository, candidate.number);
  const isPassing = merged.kind === "refused" && /base branch was modified|head branch was modified/i.test(merged.why);
  if (state !== "open" || isPassing) return lookAgainSoon(means, candidate);
  await sayWhyNot(
    means,
    repository,
    candidate,
    merged.kind === "refused" ? `GitHub says: ${merged.why}` : lacks[merged.permission],
  );
  await means.database.write((tx) => putAside(tx, candidate));
}

/** What passes by itself: after 1 s, 2, 4 … and in the end as seldom as what an event must tell. */
async function lookAgainSoon({ database }: MergingMeans, candidate: Candidate): Promise<void> {
  await database.write((tx) =>
    candidate.tries < 8 ? lookAgain(tx, candidate, 1_000 * 2 ** candidate.tries) : putAside(tx, candidate),
  );
}

const lacks = {
  contents:
    "merging takes the permission “contents: write”, which the App does not have. Its owner adds it in the App's settings, and the owner of this repository accepts it",
  workflows:
    "it changes a workflow file, which takes the permission “workflows: write” that the App does not have. Its owner adds it in the App's settings, or a person merges",
} as const;

/** Notes what GitHub is about to be asked, unless one of our checks has left green meanwhile. */
async function storeWish(tx: Transaction, { repository, number, wanted }: Candidate, sha: string): Promise<boolean> {
  const runs = deciding(await checksOf(tx.db, repository, sha));
  if (runs.some((run) => stateOf(run) !== "passed")) return false;
  const row = await tx.db
    .updateTable("merge_candidate")
    .set({ asked_sha: sha })
    .where("repository", "=", repository)
    .where("number", "=", number)
    .where("wanted", "=", wanted)
    .returning("number")
    .executeTakeFirst();
  return row !== undefined;
}

async function keepHead({ database }: MergingMeans, { repository, number }: Candidate, sha: string): Promise<void> {
  await database.write((tx) =>
    tx.db
      .updateTable("merge_candidate")
      .set({ head_sha: sha })
      .where("repository", "=", repository)
      .where("number", "=", number)
      .execute(),
  );
}

async function record(tx: Transaction, { repository, number }: Candidate, sha: string): Promise<void> {
  await tx.db
    .insertInto("history")
    .values({
      at: tx.now,
      repository,
      environment: null,
      run: null,
      person: "Signalbox",
      door: "server",
      deed: "merge",
      reason: null,
      details: JSON.stringify({ pull_request: number, sha }),
    })
    .execute();
}
