import { randomBytes } from "node:crypto";
import type { Webhooks } from "./deeds/webhooks.ts";
import type { Git } from "./git/git.ts";

/** Everything that the stand-in knows: state in memory, and the real git repositories beside it. */
export interface World {
  /** `http://127.0.0.1:4321`, where pages and git live; the API is below `api`. */
  readonly origin: string;
  readonly api: string;
  /** Holds one bare repository for each repository, `<id>.git`. */
  readonly folder: string;
  readonly app: App;
  readonly accounts: Map<string, Account>;
  readonly repositories: Map<string, RepositoryState>;
  readonly installations: Map<number, Installation>;
  readonly credentials: Map<string, Credential>;
  readonly signIns: Map<string, SignIn>;
  readonly hooks: Webhooks;
  /** The clock of everything that expires; `advance` moves it. */
  readonly clock: { now(): Date; advance(milliseconds: number): void };
  /** A number that nothing else has. */
  id(): number;
}

export interface App {
  readonly id: number;
  readonly hookId: number;
  readonly slug: string;
  readonly owner: Account;
  readonly bot: Account;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly privateKey: string;
  readonly publicKey: string;
  readonly webhookSecret: string;
  readonly permissions: Permissions;
  readonly events: readonly string[];
  readonly createdAt: Date;
}

/** What an App may do, as GitHub writes it: `{ contents: "read", statuses: "write" }`. */
export type Permissions = Readonly<Record<string, "read" | "write">>;

export type Role = "admin" | "maintain" | "write" | "triage" | "read";

export interface Account {
  readonly id: number;
  readonly login: string;
  readonly type: "User" | "Organization" | "Bot";
  readonly createdAt: Date;
}

export interface Installation {
  readonly id: number;
  readonly account: Account;
  /** Ids of the repositories that it covers. */
  readonly repositories: Set<number>;
  readonly createdAt: Date;
}

/** What a bearer token stands for. */
export type Credential =
  | {
      readonly kind: "installation";
      readonly installation: Installation;
      readonly repositories: ReadonlySet<number> | "all";
      readonly permissions: Permissions;
      readonly expiresAt: Date;
    }
  | { readonly kind: "person"; readonly account: Account }
  | { readonly kind: "signed in"; readonly account: Account; readonly expiresAt: Date };

/** A sign-in between the page that asks and the exchange of its code. */
export interface SignIn {
  readonly account: Account;
  readonly redirectUri: string;
  /** PKCE with S256; `null` without. */
  readonly challenge: string | null;
  readonly expiresAt: Date;
}

export interface RepositoryState {
  readonly id: number;
  readonly owner: Account;
  readonly name: string;
  readonly private: boolean;
  readonly parent: RepositoryState | null;
  readonly defaultBranch: string;
  /** Keyed by login in lower case. */
  readonly permissions: Map<string, Role>;
  readonly git: Git;
  /** Runs what changes refs one after another, for a repository and its forks together. */
  readonly inOrder: <T>(deed: () => Promise<T>) => Promise<T>;
  readonly createdAt: Date;
  pushedAt: Date;
  readonly pullRequests: PullRequest[];
  readonly comments: Comment[];
  readonly statuses: Status[];
  readonly checkRuns: CheckRun[];
  readonly deployments: Deployment[];
}

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
  /** The test merge at `refs/pull/N/merge`; `null` when the branches conflict. */
  testMerge: string | null;
  size: { readonly commits: number; readonly additions: number; readonly deletions: number; readonly changedFiles: number };
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
}

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

/** The account of that login; one that nobody has seen before becomes a person, or what `type` says. */
export function account(world: Pick<World, "accounts" | "id" | "clock">, login: string, type: Account["type"] = "User"): Account {
  const known = world.accounts.get(login.toLowerCase());
  if (known) return known;
  const born: Account = { id: world.id(), login, type, createdAt: world.clock.now() };
  world.accounts.set(login.toLowerCase(), born);
  return born;
}

export function findRepository(world: World, owner: string, name: string): RepositoryState | undefined {
  return world.repositories.get(`${owner}/${name}`.toLowerCase());
}

export function fullName(repository: RepositoryState): string {
  return `${repository.owner.login}/${repository.name}`;
}

/** The installation that covers a repository; a fork has none. */
export function installationOf(world: World, repository: RepositoryState): Installation | undefined {
  return [...world.installations.values()].find((installation) => installation.repositories.has(repository.id));
}

/** A secret that cannot be guessed, with GitHub's prefix for its kind (`ghs_`, `ghu_`, `ghp_`, …). */
export function newToken(prefix: string): string {
  return prefix + randomBytes(18).toString("hex");
}
