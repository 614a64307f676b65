import type { Git } from "./git/git.ts";
import type { Account } from "./world.ts";

export type Role = "admin" | "maintain" | "write" | "triage" | "read";

/** A repository: its facts in memory, its commits in the bare repository that `git` runs in. */
export interface RepositoryState {
  readonly id: number;
  readonly owner: Account;
  name: string;
  private: boolean;
  readonly parent: RepositoryState | null;
  readonly defaultBranch: string;
  /** Keyed by login in lower case. */
  readonly permissions: Map<string, Role>;
  readonly git: Git;
  /** SHAs of commits that were seen to exist; none ever goes away. */
  readonly seen: Set<string>;
  /** Runs what changes refs one after another, for a repository and its forks together. */
  readonly inOrder: <T>(deed: () => Promise<T>) => Promise<T>;
  readonly createdAt: Date;
  pushedAt: Date;
  readonly pullRequests: PullRequest[];
  readonly comments: Comment[];
  readonly statuses: Status[];
  readonly checkRuns: CheckRun[];
  readonly deployments: Deployment[];
  /** Names that deployments were made for, but those that were deleted since. */
  readonly environments: Set<string>;
  /** Contexts that must be green before a commit comes into a branch, by its name. */
  readonly required: Map<string, RequiredContexts>;
  /** How many approving reviews a pull request needs before it can be merged. */
  reviewsNeeded: number;
}

export interface RequiredContexts {
  readonly byRuleset: readonly RequiredContext[];
  readonly byProtection: readonly RequiredContext[];
}

/** With the slug of the App that must say so, if it may not be anybody. */
export type RequiredContext = string | { readonly context: string; readonly app: string };

/** `head.sha` and `base.sha` are those of the last time that it was looked at: opened, pushed to, its base moved. */
export interface PullRequest {
  readonly id: number;
  readonly number: number;
  title: string;
  body: string | null;
  readonly author: Account;
  readonly head: { readonly repository: RepositoryState; readonly ref: string; sha: string };
  readonly base: { readonly repository: RepositoryState; ref: string; sha: string };
  draft: boolean;
  state: "open" | "closed";
  readonly createdAt: Date;
  updatedAt: Date;
  closedAt: Date | null;
  merged: { readonly at: Date; readonly by: Account; readonly sha: string } | null;
  readonly labels: Set<string>;
  readonly reviews: Review[];
  /** How many more answers say that it is not known yet whether it can be merged. */
  thinking: number;
  /** The test merge at `refs/pull/N/merge`; `null` when the branches conflict. */
  testMerge: string | null;
  size: { readonly commits: number; readonly additions: number; readonly deletions: number; readonly changedFiles: number };
}

export interface Review {
  readonly id: number;
  readonly by: Account;
  readonly state: "approved" | "changes_requested" | "commented";
  readonly sha: string;
  readonly at: Date;
}

export interface Comment {
  readonly id: number;
  readonly number: number;
  readonly author: Account;
  body: string;
  readonly createdAt: Date;
  updatedAt: Date;
  readonly reactions: { readonly id: number; readonly content: string; readonly by: Account; readonly at: Date }[];
}

/** One posted status; a newer one of the same context does not replace it but comes after it. */
export interface Status {
  readonly id: number;
  readonly sha: string;
  readonly state: string;
  readonly context: string;
  readonly description: string | null;
  readonly targetUrl: string | null;
  readonly creator: Account;
  readonly createdAt: Date;
}

export interface CheckRun {
  readonly id: number;
  /** The slug of the App that made it. */
  readonly app: string;
  /** The id of its check suite. */
  readonly suite: number;
  readonly sha: string;
  readonly name: string;
  status: string;
  conclusion: string | null;
  detailsUrl: string | null;
  externalId: string;
  startedAt: Date;
  completedAt: Date | null;
  output: { readonly title: string | null; readonly summary: string | null; readonly text: string | null };
  /** Of all requests so far. */
  readonly annotations: Annotation[];
}

export interface Annotation {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly annotation_level: string;
  readonly message: string;
}

/** What somebody wants to be live somewhere, and all that was said about it. */
export interface Deployment {
  readonly id: number;
  readonly sha: string;
  readonly ref: string;
  readonly task: string;
  readonly payload: unknown;
  readonly originalEnvironment: string;
  environment: string;
  readonly description: string | null;
  readonly creator: Account;
  readonly transient: boolean;
  readonly production: boolean;
  readonly createdAt: Date;
  updatedAt: Date;
  /** Oldest first. */
  readonly statuses: DeploymentStatus[];
}

export interface DeploymentStatus {
  readonly id: number;
  readonly state: string;
  readonly description: string;
  readonly environment: string;
  readonly environmentUrl: string;
  readonly logUrl: string;
  readonly creator: Account;
  readonly createdAt: Date;
}

export function fullName(repository: RepositoryState): string {
  return `${repository.owner.login}/${repository.name}`;
}
