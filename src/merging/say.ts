import { createComment, findComment, updateComment } from "../github/comments.ts";
import type { Repository } from "../github/repository.ts";
import type { Candidate } from "./candidates.ts";
import type { MergingMeans } from "./means.ts";

const marker = "<!-- signalbox: merging when green -->";

/** Says why a pull request is not merged, in one comment that changes with the reason; the same reason is said once. Safe to repeat. */
export async function sayWhyNot(
  { database, github, log }: MergingMeans,
  repository: Repository,
  candidate: Candidate,
  why: string,
): Promise<void> {
  if (candidate.said === why) return;
  const installation = github.as(repository.installation);
  const body = `Signalbox does not merge this pull request: ${plain(why)}. It looks again when that changes.\n\n${marker}`;
  // Whatever said it may have died before it could note so.
  const known =
    candidate.comment ??
    (await findComment(installation, repository, candidate.number, { since: candidate.createdAt, text: marker }));
  const isThere = known !== null && (await updateComment(installation, repository, known, body));
  const comment = isThere ? known : await createComment(installation, repository, candidate.number, body);
  log.info({ repository: repository.id, pullRequest: candidate.number, why }, "not merged");
  await database.write((tx) =>
    tx.db
      .updateTable("merge_candidate")
      .set({ said: why, comment })
      .where("repository", "=", repository.id)
      .where("number", "=", candidate.number)
      .execute(),
  );
}

/** Names of checks and GitHub's words: nobody is mentioned, nothing is formatted. */
function plain(text: string): string {
  return text
    .replace(/[\\`*_{}[\]<>#|~]/g, "\\$&")
    .replaceAll("@", "@\u200b")
    .replace(/\.$/, "");
}
