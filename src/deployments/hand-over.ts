import { join } from "node:path";
import type { Repository } from "../github/repository.ts";
import { guardedFetch } from "../outbound/fetch.ts";
import type { Options } from "../repository-file/repository-file.ts";
import type { TemplateFacts } from "../repository-file/template.ts";
import { callbacksOf } from "../runs/callbacks.ts";
import { liveRun } from "../runs/read.ts";
import { type DeploymentRun, fileEnvironmentOf } from "../runs/run.ts";
import { aloneIn } from "../targets/lock.ts";
import type { DeployOrder } from "../targets/target.ts";
import { configurationOf } from "./configuration.ts";
import type { Work } from "./work.ts";

/** What a target finds on the disk, and by what options it works. */
interface Handed {
  readonly workspace: string;
  readonly readable: readonly string[];
  /** The plan's own when missing. */
  readonly options?: Options;
}

/** What a target is told of a deployment. */
export async function orderOf(
  work: Work,
  { workspace, readable, options = work.configuration.plan.with }: Handed,
): Promise<DeployOrder> {
  const { means, run, repository, io } = work;
  const { owner, name, cloneUrl } = repository;
  const { publicUrl, outboundAllow, dataDir } = means.settings;
  const allowedPaths = means.allowedPaths(repository);
  return {
    sha: run.sha,
    environment: run.environment,
    repository: { owner, name, cloneUrl },
    ref: run.ref ?? run.sha,
    run: `${publicUrl}/${owner}/${name}/runs/${run.id}`,
    previous: await previousOf(work),
    workspace,
    readable: [...readable, ...means.toolsPaths],
    path: means.toolsPaths.map((folder) => `${folder}/bin`),
    sandbox: means.sandbox,
    mark: means.mark,
    env: environmentOf(work),
    allowedPaths,
    knownHosts: join(dataDir, "known_hosts"),
    secret: secretsOf(work, options),
    fetch: (url, init = {}) => guardedFetch(url, init, { allow: outboundAllow }),
    callbacks: callbacksOf(means.database, { id: run.id, attempt: run.attempt.number }, publicUrl),
    conceal: (value) => io.conceal(value),
    alone: aloneIn(allowedPaths[0], run.environment),
  };
}

/** What is live in the environment before this one, when it is this commit. */
async function previousOf({ means, run, configuration }: Work): Promise<DeployOrder["previous"]> {
  const { after } = configuration.rules;
  if (after === null) return null;
  const live = await means.database.read((db) => liveRun(db, run.repository, after));
  if (live?.state !== "finished" || live.outcome.kind !== "passed" || live.sha !== run.sha) return null;
  const target = configurationOf(live)?.plan.target;
  return target === undefined ? null : { target, release: live.outcome.live?.release ?? null };
}

/** What commands are told of a deployment. */
export function environmentOf(work: Pick<Work, "run" | "repository">): Readonly<Record<string, string>> {
  return { ...commitEnvironment(work), SIGNALBOX_ENVIRONMENT: work.run.environment };
}

/** What they are told of its commit alone. */
export function commitEnvironment({ run, repository: { owner, name } }: Pick<Work, "run" | "repository">) {
  return {
    CI: "true",
    SIGNALBOX: "true",
    SIGNALBOX_REPOSITORY: `${owner}/${name}`,
    SIGNALBOX_SHA: run.sha,
    SIGNALBOX_REF: run.ref ?? run.sha,
  };
}

/** Only what the environment's own `with:` names, so that no target can reach for another's; taken out of the log before it is handed over. */
function secretsOf({ means, run, repository, io }: Work, options: Options): DeployOrder["secret"] {
  const named = new Set(textsIn(options));
  const find = means.secretsFor?.(repository, fileEnvironmentOf(run));
  return async (name) => {
    const value = named.has(name) && find !== undefined ? await find(name) : null;
    if (value !== null) io.conceal(value);
    return value;
  };
}

/** What `{{ … }}` in a deployment's file is filled in with. */
export function templateFactsOf(
  { pullRequest, sha, ref, environment }: Pick<DeploymentRun, "pullRequest" | "sha" | "ref" | "environment">,
  repository: Repository,
): TemplateFacts {
  return { pullRequest, sha, ref: ref ?? sha, environment, repository };
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
