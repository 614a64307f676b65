import type { Repository } from "../github/repository.ts";
import type { RepositoryFile } from "../repository-file/repository-file.ts";
import { liveRun } from "../runs/read.ts";
import type { DeploymentRun } from "../runs/run.ts";
import { configurationOf, reconfigure } from "./configuration.ts";
import type { DeploymentMeans } from "./means.ts";
import { isConcerned } from "./what-changed.ts";
import { wantedBy, wish } from "./wish.ts";

/**
 * Stores the wish for every environment whose `after` has this commit live: the commit that is live there now, so that what was
 * superseded promotes nothing. Decided by our own finished run, not by an event; safe to repeat, as each is wished for once.
 */
export async function promoteLive(means: DeploymentMeans, repository: Repository, file: RepositoryFile): Promise<void> {
  const sources = new Set(Object.values(file.environments).flatMap((plan) => (plan.after === null ? [] : [plan.after])));
  for (const source of sources) {
    const live = await means.database.read((db) => liveRun(db, repository.id, source));
    if (live === null || live.task !== "deploy") continue;
    const head = configurationOf(live)?.head ?? null;
    const { sha, pullRequest, title, author, person } = live;
    const candidate = {
      cause: { kind: "run" as const, id: live.id },
      repository,
      sha,
      branch: live.ref ?? repository.defaultBranch,
      pullRequest,
      title,
      person,
      author,
      head,
    };
    const environments = wantedBy(
      file,
      (plan) => plan.after === source && (plan.branch ?? repository.defaultBranch) === candidate.branch,
    );
    const missing = await notYetWished(means, repository.id, sha, environments);
    const wanted = await concernedOf(means, repository, live, file, missing);
    await wish(means, candidate, { gating: file, environments: wanted, automatic: true, github: null });
  }
}

/** Leaves out the environments whose files did not change; that is written down, so that it is decided once for what is live. */
async function concernedOf(
  means: DeploymentMeans,
  repository: Repository,
  live: DeploymentRun,
  file: RepositoryFile,
  environments: readonly string[],
): Promise<readonly string[]> {
  const decided = configurationOf(live)?.unwanted ?? [];
  const concerned: string[] = [];
  for (const environment of environments.filter((name) => !decided.includes(name))) {
    const paths = file.environments[environment]?.paths ?? null;
    if (await isConcerned(means, repository, { environment, paths, sha: live.sha })) {
      concerned.push(environment);
    } else {
      means.log.info({ repository: repository.id, environment, sha: live.sha }, "not promoted: no file of its paths changed");
      await means.database.write((tx) =>
        reconfigure(tx, live.id, (before) => ({ ...before, unwanted: [...before.unwanted, environment] })),
      );
    }
  }
  return concerned;
}

/** Leaves out what was wished for once, and what a person has brought there or is bringing there. */
async function notYetWished(
  { database }: DeploymentMeans,
  repository: number,
  sha: string,
  environments: readonly string[],
): Promise<readonly string[]> {
  if (environments.length === 0) return [];
  const rows = await database.read((db) =>
    db
      .selectFrom("run")
      .select("name")
      .where("repository", "=", repository)
      .where("sha", "=", sha)
      .where("kind", "=", "deployment")
      .where((is) => is.or([is("automatic", "=", 1), is("state", "<>", "finished"), is("outcome", "like", '{"kind":"passed"%')]))
      .where("name", "in", environments)
      .execute(),
  );
  const wished = new Set(rows.map((row) => row.name));
  return environments.filter((name) => !wished.has(name));
}
