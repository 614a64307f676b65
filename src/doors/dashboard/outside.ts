import type { AskingMeans } from "../../deployments/means.ts";
import { commitsOf, type ListedCommit } from "../../github/history.ts";
import type { Repository } from "../../github/repository.ts";
import { type RequiredContexts, requiredContextsOf } from "../../github/required-contexts.ts";
import type { Loaded } from "../../repository-file/load.ts";
import { recently } from "./recently.ts";

/** What pages show of GitHub. They never wait for it long: `null` stands for what is not known now. */
export interface Outside {
  /** The default branch's repository file. */
  file(repository: Repository): Promise<Loaded | null>;
  /** The newest commits of a branch, the newest first; none when there is no such branch. */
  commits(repository: Repository, branch: string): Promise<readonly ListedCommit[] | null>;
  /** What a branch requires to be green. */
  required(repository: Repository, branch: string): Promise<RequiredContexts | null>;
}

/** Long enough that a page which is looked at all day costs little, short enough that nobody notices. */
const keepFor = 10_000;
const patience = 1_500;

export function openOutside(means: AskingMeans, clock: () => number): Outside {
  const onProblem = (err: unknown) => means.log.warn({ err }, "a page shows less, because GitHub did not answer");
  const files = recently({
    ask: (repository: Repository) => means.loadFile(repository, repository.defaultBranch),
    nameOf: ({ id, defaultBranch }) => `${id} ${defaultBranch}`,
    ...{ keepFor, patience, clock, onProblem },
  });
  const branches = recently({
    ask: async ({ repository, branch }: { readonly repository: Repository; readonly branch: string }) =>
      (await commitsOf(means.github.as(repository.installation), repository, branch)) ?? [],
    nameOf: ({ repository, branch }) => `${repository.id} ${branch}`,
    ...{ keepFor, patience, clock, onProblem },
  });
  const rules = recently({
    ask: ({ repository, branch }: { readonly repository: Repository; readonly branch: string }) =>
      requiredContextsOf(means.github.as(repository.installation), repository, branch),
    nameOf: ({ repository, branch }) => `${repository.id} ${branch}`,
    ...{ keepFor: 300_000, patience, clock, onProblem },
  });
  return {
    file: (repository) => files.get(repository),
    commits: (repository, branch) => branches.get({ repository, branch }),
    required: (repository, branch) => rules.get({ repository, branch }),
  };
}
