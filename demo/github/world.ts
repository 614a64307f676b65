import { randomBytes } from "node:crypto";
import type { Webhooks } from "./deeds/webhooks.ts";
import type { RepositoryState } from "./repository-state.ts";

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
  /** Names that repositories had before, in lower case: GitHub redirects from them until somebody else takes them. */
  readonly moved: Map<string, RepositoryState>;
  readonly installations: Map<number, Installation>;
  /** `org/slug`, in lower case → the logins of a team's members. */
  readonly teams: Map<string, ReadonlySet<string>>;
  readonly credentials: Map<string, Credential>;
  readonly signIns: Map<string, SignIn>;
  readonly hooks: Webhooks;
  /** The clock of everything that expires; `advance` moves it. */
  readonly clock: { now(): Date; advance(milliseconds: number): void };
  /** A number that nothing else has. */
  id(): number;
}

/** The one GitHub App, with the secrets that its server needs. */
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
  permissions: Permissions;
  readonly events: readonly string[];
  readonly createdAt: Date;
}

/** What an App may do, as GitHub writes it: `{ contents: "read", statuses: "write" }`. */
export type Permissions = Readonly<Record<string, "read" | "write">>;

/** A person, an organization or the bot of the App. */
export interface Account {
  readonly id: number;
  readonly login: string;
  readonly type: "User" | "Organization" | "Bot";
  readonly createdAt: Date;
}

/** Where the App may look: one for each owner. */
export interface Installation {
  readonly id: number;
  readonly account: Account;
  /** Ids of the repositories that it covers. */
  readonly repositories: Set<number>;
  readonly createdAt: Date;
  suspendedAt: Date | null;
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

/** The id of an App by its slug. Of other Apps there is only the bot. */
export function appIdOf(world: World, slug: string): number {
  return slug === world.app.slug ? world.app.id : account(world, `${slug}[bot]`).id;
}

/** The account of that login; one that nobody has seen before becomes a person, or the bot of an App, or what `type` says. */
export function account(
  world: Pick<World, "accounts" | "id" | "clock">,
  login: string,
  type: Account["type"] = login.endsWith("[bot]") ? "Bot" : "User",
): Account {
  const known = world.accounts.get(login.toLowerCase());
  if (known) return known;
  const born: Account = { id: world.id(), login, type, createdAt: world.clock.now() };
  world.accounts.set(login.toLowerCase(), born);
  return born;
}

export function findRepository(world: World, owner: string, name: string): RepositoryState | undefined {
  return world.repositories.get(`${owner}/${name}`.toLowerCase());
}

/** The installation that covers a repository; a fork has none. */
export function installationOf(world: World, repository: RepositoryState): Installation | undefined {
  return [...world.installations.values()].find((installation) => installation.repositories.has(repository.id));
}

/** A secret that cannot be guessed, with GitHub's prefix for its kind (`ghs_`, `ghu_`, `ghp_`, …). */
export function newToken(prefix: string): string {
  return prefix + randomBytes(18).toString("hex");
}
