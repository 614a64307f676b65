import type { Installation } from "./github.ts";
import { GitHubProblem } from "./problem.ts";
import type { Repository } from "./repository.ts";

export type Permission = "admin" | "write" | "read" | "none";

/** The finer word: a maintainer is a person whose role is maintain or admin. */
export type Role = Permission | "maintain";

/**
 * What a person may do with a repository. Compared by the numeric id where one is known: a login can be given to somebody else.
 * https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
 */
export async function permissionOf(
  github: Installation,
  repository: Repository,
  person: { readonly login: string; readonly id?: number },
): Promise<Permission> {
  const role = await roleOf(github, repository, person);
  return role === "maintain" ? "write" : role;
}

/** The same, with maintainers told apart. A role of an organization's own making counts as what it is built on. */
export async function roleOf(
  github: Installation,
  repository: Repository,
  person: { readonly login: string; readonly id?: number },
): Promise<Role> {
  const found = await findPerson(github, repository, person.login);
  if (found === null || (person.id !== undefined && found.id !== person.id)) return "none";
  return found.role;
}

/** Whom GitHub knows by a login, as it writes it, and what they may do with a repository; `null` when there is nobody. */
export async function findPerson(
  github: Installation,
  { owner, name }: Repository,
  login: string,
): Promise<{ readonly login: string; readonly id: number | null; readonly role: Role } | null> {
  try {
    const { data } = await github.request("GET /repos/{owner}/{repo}/collaborators/{username}/permission", {
      owner,
      repo: name,
      username: login,
    });
    const { permission, user } = data;
    const person = { login: user?.login ?? login, id: user === null ? null : Number(user.id) };
    if (permission === "write" && user?.permissions?.maintain === true) return { ...person, role: "maintain" };
    return { ...person, role: permission === "admin" || permission === "write" || permission === "read" ? permission : "none" };
  } catch (error) {
    if (error instanceof GitHubProblem && error.kind === "missing") return null;
    throw error;
  }
}

export function mayRead(permission: Permission): boolean {
  return permission !== "none";
}

export function mayWrite(permission: Permission): boolean {
  return permission === "admin" || permission === "write";
}

/**
 * Those of an organization's teams that a person is an active member of. Takes `members: read`; without it nobody is in any team.
 * https://docs.github.com/en/rest/teams/members#get-team-membership-for-a-user
 */
export async function teamsOf(
  github: Installation,
  org: string,
  username: string,
  teams: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const team_slug of teams) {
    try {
      const { data } = await github.request("GET /orgs/{org}/teams/{team_slug}/memberships/{username}", {
        org,
        team_slug,
        username,
      });
      if (data.state === "active") found.push(team_slug);
    } catch (error) {
      const isNo = error instanceof GitHubProblem && (error.kind === "missing" || error.kind === "forbidden");
      if (!isNo) throw error;
    }
  }
  return found;
}
