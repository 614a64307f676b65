import { userInfo } from "node:os";
import { findHead } from "../../checks/heads.ts";
import type { Transaction } from "../../database/connection.ts";
import { type Actor, type Answer, refused } from "../../deeds/actor.ts";
import { approveChecks } from "../../deeds/approve-checks.ts";
import { cancelRuns } from "../../deeds/cancel-runs.ts";
import { retryChecks } from "../../deeds/retry-checks.ts";
import type { Settings } from "../../settings.ts";
import { besideServer } from "./beside-server.ts";
import { UsageError } from "./usage.ts";

/** What can be done to a pull request, by its command; `word` is what stands behind OWNER/REPO PULL_REQUEST. */
const deeds = {
  approve: (tx, actor, pullRequest, { sandbox }, word) => approveChecks(tx, actor, { pullRequest, sha: word ?? "", sandbox }),
  retry: (tx, actor, pullRequest, { sandbox }, word) => retryChecks(tx, actor, { pullRequest, check: word ?? null, sandbox }),
  cancel: (tx, actor, pullRequest, _settings, word) =>
    cancelRuns(tx, actor, { pullRequest, ...(word === undefined ? {} : { reason: word }) }),
} satisfies Record<string, Deed>;

type Deed = (
  tx: Transaction,
  actor: Actor,
  pullRequest: NonNullable<Awaited<ReturnType<typeof findHead>>>,
  settings: Settings,
  word: string | undefined,
) => Promise<Answer>;

/**
 * `approve OWNER/REPO PULL_REQUEST SHA`, `retry … [CHECK]`, `cancel … [REASON]`: the deeds of comments, by the server's operator, on the head as
 * the server last heard of it. A running server sees within a few seconds what was changed. 0 when it was done.
 */
export async function onPullRequest(command: keyof typeof deeds, words: readonly string[]): Promise<number> {
  const [fullName, number, word, ...more] = words;
  if (fullName === undefined || number === undefined || !/^#?\d+$/.test(number) || more.length > 0)
    throw new UsageError(`${command} needs OWNER/REPO and the number of a pull request`);
  if (command === "approve" && word === undefined) throw new UsageError("approve needs the SHA that you have looked at");
  return besideServer(async ({ database, settings, find }) => {
    const repository = await find(fullName);
    const actor: Actor = { login: userInfo().username, id: 0, role: "operator", door: "command line" };
    const answer = await database.write(async (tx) => {
      const pullRequest = await findHead(tx.db, repository.id, Number(number.replace("#", "")));
      if (pullRequest === null) return refused(`${fullName} has no pull request ${number} that the server has heard of`);
      return deeds[command](tx, actor, pullRequest, settings, word);
    });
    if (answer.kind === "refused") throw new Error(answer.why);
    console.log(`${answer.said} (a running server sees it within a few seconds)`);
    return 0;
  });
}
