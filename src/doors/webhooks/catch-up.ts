import type { Logger } from "pino";
import type { Database, Query } from "../../database/connection.ts";
import type { GitHub } from "../../github/github.ts";
import { isUntouched, newestDeployments, openPullRequests } from "../../github/open-work.ts";
import { GitHubProblem } from "../../github/problem.ts";
import { findRepository, type Repository } from "../../github/repository.ts";
import type { VerifiedEvent } from "./from-probot.ts";

export interface CatchUpOptions {
  readonly database: Database;
  readonly github: GitHub;
  /** Stores an event as if GitHub had delivered it. */
  readonly receive: (event: VerifiedEvent) => Promise<void>;
  /** How far back work counts that GitHub shows and we never heard of, in milliseconds. */
  readonly window: number;
  readonly log: Logger;
  /** Requests to GitHub, for all repositories together. */
  readonly budget?: number;
}

/**
 * Looks at the repositories that were active lately for what no delivery told of: heads of open pull requests, and deployments that nobody has
 * taken up. What it finds becomes a receipt of its own, named by what was found, so that finding it again changes nothing.
 */
export async function catchUp(options: CatchUpOptions, stop: AbortSignal): Promise<void> {
  const { database, github, log, window, budget = 120 } = options;
  const repositories = await database.write(async (tx) => activeLately(tx.db, tx.now - window, Math.floor(budget / 2)));
  let left = budget;
  for (const repository of repositories) {
    if (stop.aborted || left < 2) return;
    left -= 2;
    const since = Date.now() - window;
    try {
      const heads = (await openPullRequests(github.as(repository.installation), repository)).filter(
        ({ updatedAt }) => updatedAt.getTime() > since,
      );
      for (const { number, headSha, payload } of heads) {
        const guid = `found-pull-${repository.id}-${number}-${headSha.slice(0, 16)}`;
        if (await database.read((db) => isKnownHead(db, repository.id, number, headSha, guid))) continue;
        await find(guid, "pull_request", { action: "synchronize", number, pull_request: payload }, repository);
      }
      const created = (await newestDeployments(github.as(repository.installation), repository)).filter(
        ({ createdAt }) => createdAt.getTime() > since,
      );
      for (const { id, payload } of created.toReversed()) {
        const guid = `found-deployment-${id}`;
        if (await database.read((db) => isKnownDeployment(db, repository.id, id, guid))) continue;
        if (left === 0) return;
        left -= 1;
        if (!(await isUntouched(github.as(repository.installation), repository, id))) continue;
        await find(guid, "deployment", { action: "created", deployment: payload }, repository);
      }
    } catch (error) {
      if (!(error instanceof GitHubProblem)) throw error;
      log.warn({ err: error, repository: `${repository.owner}/${repository.name}` }, "could not look for what was missed");
    }
  }

  async function find(guid: string, event: string, facts: object, repository: Repository): Promise<void> {
    log.warn({ delivery: guid, repository: `${repository.owner}/${repository.name}` }, "found at GitHub what no webhook told");
    await options.receive({ guid, event, payload: { ...facts, ...placeOf(repository) } });
  }
}

/** What every event says of where it happened. */
function placeOf(repository: Repository): object {
  const { id, owner, name, installation } = repository;
  return {
    repository: {
      id,
      name,
      full_name: `${owner}/${name}`,
      owner: { login: owner },
      default_branch: repository.defaultBranch,
      clone_url: repository.cloneUrl,
      private: repository.private,
    },
    installation: { id: installation },
  };
}

/** Those that GitHub told of since then, the latest first. */
async function activeLately(db: Query, since: number, most: number): Promise<readonly Repository[]> {
  const rows = await db
    .selectFrom("receipt")
    .innerJoin("repository", "repository.id", "receipt.repository")
    .select("repository.id")
    .where("repository.active", "=", 1)
    .where("receipt.received_at", ">=", since)
    .groupBy("repository.id")
    .orderBy((is) => is.fn.max("receipt.id"), "desc")
    .limit(most)
    .execute();
  const found: Repository[] = [];
  for (const { id } of rows) {
    const repository = await findRepository(db, id);
    if (repository !== null) found.push(repository);
  }
  return found;
}

async function isKnownHead(db: Query, repository: number, number: number, sha: string, guid: string): Promise<boolean> {
  const head = await db
    .selectFrom("pull_request_head")
    .select("head_sha")
    .where("repository", "=", repository)
    .where("number", "=", number)
    .executeTakeFirst();
  return head?.head_sha === sha || (await hasReceipt(db, guid));
}

async function isKnownDeployment(db: Query, repository: number, id: number, guid: string): Promise<boolean> {
  const run = await db
    .selectFrom("run")
    .select("id")
    .where("repository", "=", repository)
    .where("github", "=", id)
    .limit(1)
    .executeTakeFirst();
  return run !== undefined || (await hasReceipt(db, guid));
}

async function hasReceipt(db: Query, guid: string): Promise<boolean> {
  return (await db.selectFrom("receipt").select("id").where("guid", "=", guid).limit(1).executeTakeFirst()) !== undefined;
}
