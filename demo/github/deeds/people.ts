import type { RepositoryState, Role } from "../repository-state.ts";
import type { Account } from "../world.ts";

const RANKS: readonly Role[] = ["read", "triage", "write", "maintain", "admin"];

/** What a person may do in a repository; `null` when it does not exist for them. Owners are admins, and everybody reads what is public. */
export function roleOf(repository: RepositoryState, account: Account): Role | null {
  if (repository.owner === account) return "admin";
  return repository.permissions.get(account.login.toLowerCase()) ?? (repository.private ? null : "read");
}

export function atLeast(role: Role | null, needed: Role): boolean {
  return role !== null && RANKS.indexOf(role) >= RANKS.indexOf(needed);
}

/** The older, coarser word: https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user */
export function permissionOf(role: Role | null): "admin" | "write" | "read" | "none" {
  switch (role) {
    case "admin":
      return "admin";
    case "maintain":
    case "write":
      return "write";
    case "triage":
    case "read":
      return "read";
    case null:
      return "none";
  }
}

/** A role as the five flags of older answers. */
export function permissionsJson(role: Role | null): object {
  return {
    admin: atLeast(role, "admin"),
    maintain: atLeast(role, "maintain"),
    push: atLeast(role, "write"),
    triage: atLeast(role, "triage"),
    pull: atLeast(role, "read"),
  };
}
