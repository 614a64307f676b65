import { atLeast, roleOf } from "../deeds/people.ts";
import type { RepositoryState, Role } from "../repository-state.ts";
import type { Account, Credential, World } from "../world.ts";
import { forbidden, notFound, Refusal, suspended, unauthorized } from "./answers.ts";
import { checkAppToken } from "./app-token.ts";

/** Who asks. */
export type Caller = { readonly kind: "nobody" } | { readonly kind: "app" } | Credential;

/** Reads `Authorization`: a token, a JSON web token of the App, or, as git sends it, a token as the password. Throws 401 for what is wrong or expired. */
export function callerFrom(world: World, authorization: string | undefined): Caller {
  if (authorization === undefined) return { kind: "nobody" };
  const [, scheme = "", value = ""] = /^(\w+)\s+(.*)$/.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
    case "token":
      return value.split(".").length === 3 ? checkAppToken(world.app, value) : credentialOf(world, value);
    case "basic":
      return credentialOf(world, Buffer.from(value, "base64").toString().split(":").slice(1).join(":"));
    case "":
      throw unauthorized();
  }
  throw unauthorized();
}

/** Refuses everybody but the App with its JSON web token. */
export function requireApp(caller: Caller): void {
  if (caller.kind === "app") return;
  if (caller.kind === "nobody") throw unauthorized("A JSON web token could not be decoded");
  throw forbidden("You must authenticate with a JSON web token as the App to use this endpoint");
}

/**
 * The repository, if the caller may do this there. Hidden repositories are 404, as on GitHub.
 * Stricter than GitHub in one thing: an installation does not see public repositories that it was not given, so nobody comes to rely on that.
 */
export function requireRepository(
  world: World,
  caller: Caller,
  repository: RepositoryState | undefined,
  permissions: readonly string[],
): RepositoryState {
  if (!repository) throw notFound();
  switch (caller.kind) {
    case "nobody":
      if (repository.private) throw notFound();
      if (!permissions.some(isRead)) throw unauthorized("Requires authentication");
      return repository;
    case "app":
      throw new Refusal(401, "Bad credentials");
    case "installation":
      if (!installationSees(caller, repository)) throw notFound();
      if (!permissions.some((permission) => allows(caller.permissions, permission))) throw lacking(permissions);
      return repository;
    case "signed in":
      // A person through the App: both must be allowed. https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-with-a-github-app-on-behalf-of-a-user
      requirePerson(repository, caller.account, permissions);
      if (![...world.installations.values()].some((one) => one.repositories.has(repository.id)) && repository.private)
        throw notFound();
      if (!permissions.some((permission) => allows(world.app.permissions, permission))) throw forbidden();
      return repository;
    case "person":
      requirePerson(repository, caller.account, permissions);
      return repository;
  }
}

/** Refuses everybody but an installation of that owner with one of the permissions. */
export function requireInstallationOf(caller: Caller, owner: string, permissions: readonly string[]): void {
  if (caller.kind === "nobody") throw unauthorized("Requires authentication");
  if (caller.kind !== "installation" || caller.installation.account.login.toLowerCase() !== owner.toLowerCase()) throw notFound();
  if (!permissions.some((permission) => allows(caller.permissions, permission))) throw lacking(permissions);
}

/** GitHub names what would have sufficed: https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#insufficient-permissions-errors */
function lacking(permissions: readonly string[]): Refusal {
  const needed = permissions.map((permission) => permission.replace(":", "=")).join("; ");
  return new Refusal(403, "Resource not accessible by integration", {}, { "X-Accepted-GitHub-Permissions": needed });
}

/** Whose name stands under what the caller does. */
export function actor(world: World, caller: Caller): Account {
  switch (caller.kind) {
    case "installation":
    case "app":
      return world.app.bot;
    case "person":
    case "signed in":
      return caller.account;
    case "nobody":
      throw unauthorized("Requires authentication");
  }
}

export function installationSees(caller: Extract<Caller, { kind: "installation" }>, repository: RepositoryState): boolean {
  return (
    caller.installation.repositories.has(repository.id) &&
    (caller.repositories === "all" || caller.repositories.has(repository.id))
  );
}

/** Whether permissions contain `name:level`; writing includes reading. */
export function allows(permissions: Readonly<Record<string, string>>, needed: string): boolean {
  const [name = "", level] = needed.split(":");
  const given = permissions[name];
  return given === "write" || (given === "read" && level === "read");
}

function requirePerson(repository: RepositoryState, account: Account, permissions: readonly string[]): void {
  const role = roleOf(repository, account);
  if (role === null) throw notFound();
  if (!permissions.some((permission) => atLeast(role, roleFor(permission))))
    throw forbidden("Must have push access to this repository");
}

/** Whoever can read can comment and open pull requests. */
function roleFor(permission: string): Role {
  if (permission.startsWith("administration:")) return "admin";
  return isRead(permission) || permission === "issues:write" || permission === "pull_requests:write" ? "read" : "write";
}

function isRead(permission: string): boolean {
  return permission.endsWith(":read");
}

function credentialOf(world: World, token: string): Credential {
  const credential = world.credentials.get(token);
  if (!credential) throw unauthorized();
  if ("expiresAt" in credential && credential.expiresAt <= world.clock.now()) throw unauthorized();
  if (credential.kind === "installation" && !world.installations.has(credential.installation.id)) throw unauthorized();
  if (credential.kind === "installation" && credential.installation.suspendedAt !== null) throw suspended();
  return credential;
}
