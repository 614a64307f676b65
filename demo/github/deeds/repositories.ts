import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { NOTHING, readHeads, writeCommit } from "../git/commits.ts";
import { gitIn } from "../git/git.ts";
import { accountJson, emailOf } from "../json/account.ts";
import { fullName, type RepositoryState, type Role } from "../repository-state.ts";
import { type Account, account, type World } from "../world.ts";
import { announce, announceCoverage, announceInstallation } from "./announce.ts";
import { headMoved } from "./heads.ts";

interface NewRepository {
  readonly owner: Account;
  readonly name: string;
  readonly private?: boolean;
  readonly permissions?: Readonly<Record<string, Role>>;
}

/** Makes an empty bare repository. */
export async function createRepository(
  world: World,
  options: NewRepository,
  parent: RepositoryState | null = null,
): Promise<RepositoryState> {
  const id = world.id();
  const folder = folderOf(world, id);
  await mkdir(folder, { recursive: true });
  await gitIn(folder)(["init", "--quiet", "--bare", "--initial-branch=main"]);
  await appendFile(join(folder, "config"), CONFIGURATION);
  const repository: RepositoryState = {
    id,
    owner: options.owner,
    name: options.name,
    private: options.private ?? false,
    parent,
    defaultBranch: "main",
    permissions: new Map(
      Object.entries(options.permissions ?? {}).map(([login, role]) => [account(world, login).login.toLowerCase(), role]),
    ),
    git: gitIn(folder),
    seen: new Set(),
    inOrder: parent?.inOrder ?? oneAfterAnother(),
    createdAt: world.clock.now(),
    pushedAt: world.clock.now(),
    pullRequests: [],
    comments: [],
    statuses: [],
    checkRuns: [],
    deployments: [],
    environments: new Set(),
    required: new Map(),
    reviewsNeeded: 0,
  };
  world.repositories.set(fullName(repository).toLowerCase(), repository);
  return repository;
}

/** Copies the branches to a new owner. The two share their objects in both directions, as forks on GitHub do: each finds every commit of the other. */
export async function forkRepository(world: World, parent: RepositoryState, owner: Account): Promise<RepositoryState> {
  const fork = await createRepository(world, { owner, name: parent.name, private: parent.private }, parent);
  await appendFile(join(folderOf(world, fork.id), "objects/info/alternates"), `${join(folderOf(world, parent.id), "objects")}\n`);
  await appendFile(join(folderOf(world, parent.id), "objects/info/alternates"), `${join(folderOf(world, fork.id), "objects")}\n`);
  const heads = [...(await readHeads(parent.git))].map(([branch, sha]) => `create refs/heads/${branch} ${sha}\n`);
  await fork.git(["update-ref", "--stdin"], heads.join(""));
  return fork;
}

/** Lets the App see a repository. The first one of an owner makes the installation. */
export function installApp(world: World, repository: RepositoryState): void {
  const known = [...world.installations.values()].find((installation) => installation.account === repository.owner);
  if (known) {
    known.repositories.add(repository.id);
    announceCoverage(world, known, { added: repository });
    return;
  }
  const installation = {
    id: world.id(),
    account: repository.owner,
    repositories: new Set([repository.id]),
    createdAt: world.clock.now(),
    suspendedAt: null,
  };
  world.installations.set(installation.id, installation);
  announceInstallation(world, installation, "created", [repository]);
}

/** Hides a repository from the App; tokens for it answer 404 from now on. */
export function uninstallApp(world: World, repository: RepositoryState): void {
  for (const installation of world.installations.values()) {
    if (installation.repositories.delete(repository.id)) announceCoverage(world, installation, { removed: repository });
  }
}

/** The owner of the account suspends the App, or allows it again: https://docs.github.com/en/apps/maintaining-github-apps/suspending-a-github-app-installation */
export function suspendApp(world: World, repository: RepositoryState, action: "suspend" | "unsuspend"): void {
  for (const installation of world.installations.values()) {
    if (!installation.repositories.has(repository.id)) continue;
    installation.suspendedAt = action === "suspend" ? world.clock.now() : null;
    announceInstallation(world, installation, action, [repository]);
  }
}

/** What asks for the old name is redirected from now on. */
export function renameRepository(world: World, repository: RepositoryState, name: string): void {
  const before = repository.name;
  world.repositories.delete(fullName(repository).toLowerCase());
  world.moved.set(fullName(repository).toLowerCase(), repository);
  repository.name = name;
  world.repositories.set(fullName(repository).toLowerCase(), repository);
  announce(world, repository, "repository", repository.owner, {
    action: "renamed",
    changes: { repository: { name: { from: before } } },
  });
}

/** Somebody is no collaborator any more. */
export function dismissMember(world: World, repository: RepositoryState, member: Account): void {
  repository.permissions.delete(member.login.toLowerCase());
  announce(world, repository, "member", repository.owner, { action: "removed", member: accountJson(world, member) });
}

/** Only those whom it names may see it from now on. */
export function hideRepository(world: World, repository: RepositoryState): void {
  repository.private = true;
  announce(world, repository, "repository", repository.owner, { action: "privatized" });
}

export interface NewCommit {
  /** Made when it does not exist. */
  readonly branch: string;
  /** Where a new branch starts: a branch or a SHA; the default branch when missing. */
  readonly from?: string;
  /** `null` deletes a file. */
  readonly files: Readonly<Record<string, string | null>>;
  readonly message: string;
  readonly author: string;
}

/** Commits to a branch as somebody's push: fires `push` and brings pull requests up to date. Resolves with the new SHA. */
export function commit(world: World, repository: RepositoryState, change: NewCommit): Promise<string> {
  return repository.inOrder(async () => {
    const author = account(world, change.author);
    const heads = await readHeads(repository.git);
    const before = heads.get(change.branch);
    const from = change.from ?? repository.defaultBranch;
    const parent = before ?? heads.get(from) ?? (/^[0-9a-f]{40}$/.test(from) ? from : null);
    const sha = await writeCommit(repository.git, {
      branch: change.branch,
      parent,
      message: change.message,
      files: change.files,
      author: { name: author.login, email: emailOf(author) },
      at: world.clock.now(),
    });
    await headMoved(world, { repository, branch: change.branch, before: before ?? NOTHING, after: sha, by: author });
    return sha;
  });
}

export function folderOf(world: Pick<World, "folder">, id: number): string {
  return join(world.folder, `${id}.git`);
}

/**
 * Any SHA can be fetched from GitHub, `refs/pull` cannot be pushed to, and nothing that a test still needs is ever collected.
 * https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/checking-out-pull-requests-locally
 */
const CONFIGURATION = `[uploadpack]
	allowAnySHA1InWant = true
[receive]
	autogc = false
	hideRefs = refs/pull
[gc]
	auto = 0
[http]
	receivepack = true
`;

function oneAfterAnother(): RepositoryState["inOrder"] {
  let last: Promise<unknown> = Promise.resolve();
  return (deed) => {
    const next = last.then(deed, deed);
    last = next;
    return next;
  };
}
