import { tellCheckRun } from "./deeds/check-runs.ts";
import { addComment } from "./deeds/comments.ts";
import { createDeployment } from "./deeds/deployments.ts";
import { type MergeMethod, mergePullRequest } from "./deeds/merging.ts";
import {
  changeBase,
  changeLabel,
  closePullRequest,
  convertToDraft,
  openPullRequest,
  readyForReview,
  reopenPullRequest,
} from "./deeds/pull-requests.ts";
import {
  commit,
  createRepository,
  dismissMember,
  forkRepository,
  hideRepository,
  installApp,
  type NewCommit,
  renameRepository,
  suspendApp,
  uninstallApp,
} from "./deeds/repositories.ts";
import { addReview } from "./deeds/reviews.ts";
import { addStatus, allStatuses, newestStatuses } from "./deeds/statuses.ts";
import { readHeads } from "./git/commits.ts";
import {
  type CheckRun,
  type Comment,
  type Deployment,
  fullName,
  type PullRequest,
  type RepositoryState,
  type RequiredContexts,
  type Review,
  type Role,
  type Status,
} from "./repository-state.ts";
import { account, type World } from "./world.ts";

export interface NewRepositoryOptions {
  readonly owner: string;
  readonly name: string;
  readonly private?: boolean;
  /** Path → content of the first commit. A file that starts with `#!` is executable. */
  readonly files: Readonly<Record<string, string>>;
  readonly permissions?: Readonly<Record<string, Role>>;
}

/** A repository in the hands of a test or of the demo: what people would do on GitHub's pages and by `git push`. */
export interface Repository {
  readonly id: number;
  /** `acme/shop` */
  readonly fullName: string;
  readonly url: string;
  readonly cloneUrl: string;
  /** Pushes a commit; resolves with its SHA once pull requests have followed and the events are on their way. */
  commit(change: NewCommit): Promise<string>;
  /** A fork of that person; the App is not installed there. */
  fork(owner: string): Promise<Repository>;
  /** Resolves with the number. `base` is the default branch when missing; `fork` is the owner of the fork that has `head`. */
  openPullRequest(request: OpenedPullRequest): Promise<number>;
  closePullRequest(number: number, by?: string): Promise<void>;
  reopenPullRequest(number: number, by?: string): Promise<void>;
  changeBase(number: number, base: string, by?: string): Promise<void>;
  readyForReview(number: number, by?: string): Promise<void>;
  convertToDraft(number: number, by?: string): Promise<void>;
  label(number: number, label: string, by?: string): void;
  unlabel(number: number, label: string, by?: string): void;
  review(number: number, review: { readonly by: string; readonly state: Review["state"] }): void;
  /** How many approving reviews pull requests need from now on. */
  needReviews(count: number): void;
  /** The next answers say that it is not known yet whether a pull request can be merged. */
  think(number: number, times: number): void;
  /** As another system does with a token of its own. */
  status(status: { readonly sha: string; readonly context: string; readonly state: string; readonly by: string }): Promise<void>;
  /** Resolves with the SHA that the base branch has now; rejects when GitHub would refuse. */
  merge(number: number, how?: { readonly method?: MergeMethod; readonly by?: string }): Promise<string>;
  pullRequest(number: number): PullRequest;
  /** The newest of each context. */
  statuses(sha: string): readonly Status[];
  /** Newest first. */
  allStatuses(sha: string): readonly Status[];
  /** Oldest first. */
  checkRuns(sha: string): readonly CheckRun[];
  /** As somebody does who presses "Re-run": the check run itself is not changed. */
  rerun(checkRun: number, by: string): void;
  /** Oldest first, each with its statuses, oldest first. */
  deployments(): readonly Deployment[];
  /** Names of those that deployments were made for and nobody deleted. */
  environments(): readonly string[];
  /** As a person does with `gh api`: no contexts are required and nothing is merged. Resolves with the id. */
  createDeployment(wish: DeploymentByPerson): Promise<number>;
  /** Resolves with the id. */
  comment(comment: { readonly by: string; readonly number: number; readonly body: string }): Promise<number>;
  comments(number: number): readonly Comment[];
  /** The SHA of a branch; rejects when there is none. */
  head(branch?: string): Promise<string>;
  permit(login: string, role: Role): void;
  /** Takes somebody's role away, with `member` removed. */
  dismiss(login: string): void;
  /** Makes it private, with `repository` privatized. */
  hide(): void;
  /** From now on a branch takes only commits for which these are green. */
  require(branch: string, contexts: Partial<RequiredContexts>): void;
  /** Takes it from the App, with `installation_repositories` removed; `install` gives it back. */
  uninstall(): void;
  install(): void;
  /** Suspends the App where its installation covers this repository, and allows it again. */
  suspend(): void;
  unsuspend(): void;
  /** From now on the old name redirects. */
  rename(name: string): void;
}

export interface OpenedPullRequest {
  readonly title: string;
  readonly body?: string;
  readonly head: string;
  readonly base?: string;
  readonly author: string;
  readonly fork?: string;
  readonly draft?: boolean;
}

export interface DeploymentByPerson {
  readonly by: string;
  readonly ref: string;
  readonly environment: string;
  readonly payload?: unknown;
  readonly task?: string;
}

/** Makes a repository with a first commit on `main` and installs the App on it. */
export async function newRepository(world: World, options: NewRepositoryOptions): Promise<Repository> {
  const owner = account(world, options.owner, "Organization");
  const repository = await createRepository(world, { ...options, owner });
  const [author = owner.login] = Object.keys(options.permissions ?? {});
  await commit(world, repository, { branch: repository.defaultBranch, files: options.files, message: "First commit", author });
  installApp(world, repository);
  return handle(world, repository);
}

function handle(world: World, repository: RepositoryState): Repository {
  const url = `${world.origin}/${fullName(repository)}`;
  const person = (login: string) => account(world, login);
  const pullRequest = (number: number) => {
    const found = repository.pullRequests[number - 1];
    if (!found) throw new Error(`${fullName(repository)} has no pull request ${number}`);
    return found;
  };
  const forkOf = (owner: string) => {
    const found = [...world.repositories.values()].find(
      ({ parent, owner: { login } }) => parent === repository && login === owner,
    );
    if (!found) throw new Error(`${owner} has no fork of ${fullName(repository)}: call fork first`);
    return found;
  };
  const byOf = (number: number, by: string | undefined) => (by === undefined ? pullRequest(number).author : person(by));

  return {
    id: repository.id,
    get fullName() {
      return fullName(repository);
    },
    url,
    cloneUrl: `${url}.git`,
    commit: (change) => commit(world, repository, change),
    fork: async (owner) => handle(world, await forkRepository(world, repository, person(owner))),
    openPullRequest: async ({ title, head, base = repository.defaultBranch, author, fork, draft = false, body }) => {
      const source = fork === undefined ? repository : forkOf(fork);
      const wish = { title, base, head: { repository: source, ref: head }, author: person(author), draft, body: body ?? null };
      return (await openPullRequest(world, repository, wish)).number;
    },
    closePullRequest: async (number, by) => closePullRequest(world, pullRequest(number), byOf(number, by)),
    reopenPullRequest: async (number, by) => reopenPullRequest(world, pullRequest(number), byOf(number, by)),
    changeBase: async (number, base, by) => changeBase(world, pullRequest(number), base, byOf(number, by)),
    convertToDraft: async (number, by) => convertToDraft(world, pullRequest(number), byOf(number, by)),
    readyForReview: async (number, by) => readyForReview(world, pullRequest(number), byOf(number, by)),
    merge: async (number, { method = "merge", by } = {}) => {
      const merged = await mergePullRequest(world, pullRequest(number), { method, by: byOf(number, by) });
      if (merged.kind !== "merged") throw new Error(`pull request ${number}: ${merged.kind}`);
      return merged.sha;
    },
    pullRequest,
    label: (number, label, by) => changeLabel(world, pullRequest(number), label, true, byOf(number, by)),
    unlabel: (number, label, by) => changeLabel(world, pullRequest(number), label, false, byOf(number, by)),
    review: (number, { by, state }) => void addReview(world, pullRequest(number), person(by), state),
    needReviews: (count) => {
      repository.reviewsNeeded = count;
    },
    think: (number, times) => {
      pullRequest(number).thinking = times;
    },
    status: async ({ by, ...said }) => {
      await addStatus(world, repository, { ...said, description: null, targetUrl: null, creator: person(by) });
    },
    statuses: (sha) => newestStatuses(repository, sha),
    require: (branch, { byRuleset = [], byProtection = [] }) => void repository.required.set(branch, { byRuleset, byProtection }),
    allStatuses: (sha) => allStatuses(repository, sha),
    checkRuns: (sha) => repository.checkRuns.filter((run) => run.sha === sha),
    rerun: (id, by) => {
      const run = repository.checkRuns.find((one) => one.id === id);
      if (!run) throw new Error(`${fullName(repository)} has no check run ${id}`);
      tellCheckRun(world, repository, run, "rerequested", person(by));
    },
    deployments: () => repository.deployments,
    environments: () => [...repository.environments].toSorted(),
    createDeployment: async ({ by, ...wish }) => {
      const result = await createDeployment(world, repository, {
        ...wish,
        creator: person(by),
        autoMerge: false,
        requiredContexts: [],
      });
      if (result.kind !== "created") throw new Error(result.message);
      return result.deployment.id;
    },
    comment: async ({ by, number, body }) => addComment(world, pullRequest(number), person(by), body).id,
    comments: (number) => repository.comments.filter((comment) => comment.number === number),
    head: async (branch = repository.defaultBranch) => {
      const sha = (await readHeads(repository.git)).get(branch);
      if (!sha) throw new Error(`${fullName(repository)} has no branch ${branch}`);
      return sha;
    },
    permit: (login, role) => {
      repository.permissions.set(person(login).login.toLowerCase(), role);
    },
    dismiss: (login) => dismissMember(world, repository, person(login)),
    hide: () => hideRepository(world, repository),
    uninstall: () => uninstallApp(world, repository),
    install: () => installApp(world, repository),
    suspend: () => suspendApp(world, repository, "suspend"),
    unsuspend: () => suspendApp(world, repository, "unsuspend"),
    rename: (name) => renameRepository(world, repository, name),
  };
}
