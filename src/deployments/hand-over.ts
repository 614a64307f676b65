import { join } from "node:path";
import type { Repository } from "../github/repository.ts";
import type { Options } from "../repository-file/repository-file.ts";
import type { TemplateFacts } from "../repository-file/template.ts";
import { type DeploymentRun, fileEnvironmentOf } from "../runs/run.ts";
import type { DeployOrder } from "../targets/target.ts";
import type { Work } from "./work.ts";

/** What a target finds on the disk, and by what options it works. */
interface Handed {
  readonly workspace: string;
  readonly readable: readonly string[];
  /** The plan's own when missing. */
  readonly options?: Options;
}

/** What a target is told of a deployment. */
export function orderOf(work: Work, { workspace, readable, options = work.configuration.plan.with }: Handed): DeployOrder {
  const { means, run, repository } = work;
  return {
    sha: run.sha,
    environment: run.environment,
    repository: { owner: repository.owner, name: repository.name },
    workspace,
    readable: [...readable, ...means.toolsPaths],
    path: means.toolsPaths.map((folder) => `${folder}/bin`),
    sandbox: means.sandbox,
    mark: means.mark,
    env: environmentOf(work),
    allowedPaths: means.allowedPaths(repository),
    knownHosts: join(means.settings.dataDir, "known_hosts"),
    secret: secretsOf(work, options),
  };
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
