import { atLeast, permissionOf, permissionsJson, roleOf } from "../deeds/people.ts";
import { actor, requireInstallationOf } from "../http/access.ts";
import { notFound, ok, Refusal } from "../http/answers.ts";
import { type Call, parameter, type Route, repositoryRoute, route } from "../http/router.ts";
import { accountJson, profileJson } from "../json/account.ts";
import { fullRepositoryJson } from "../json/repository.ts";

/** Repositories and who may do what in them. */
export const repositoryRoutes: readonly Route[] = [
  repositoryRoute("GET", "", ["metadata:read"], (call, repository) => {
    const { world, caller } = call;
    const person = caller.kind === "person" || caller.kind === "signed in" ? caller.account : null;
    return ok({
      ...fullRepositoryJson(world, repository),
      ...(person ? { permissions: permissionsJson(roleOf(repository, person)) } : {}),
    });
  }),
  // https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
  repositoryRoute("GET", "/collaborators/:username/permission", ["metadata:read"], (call, repository) => {
    const { world, caller } = call;
    if (caller.kind !== "installation" && !atLeast(roleOf(repository, actor(world, caller)), "write")) {
      throw new Refusal(403, "Must have push access to view collaborator permission.");
    }
    const account = personIn(call);
    const role = roleOf(repository, account);
    const permission = permissionOf(role);
    const user = { ...accountJson(world, account), permissions: permissionsJson(role), role_name: role ?? "none" };
    return ok({ permission, role_name: role ?? "none", user });
  }),
  // https://docs.github.com/en/rest/teams/members#get-team-membership-for-a-user
  route("GET", "/orgs/:org/teams/:slug/memberships/:username", (call) => {
    const [org, slug] = [parameter(call, "org"), parameter(call, "slug")];
    requireInstallationOf(call.caller, org, ["members:read"]);
    const { login } = personIn(call);
    if (!call.world.teams.get(`${org}/${slug}`.toLowerCase())?.has(login.toLowerCase())) throw notFound();
    const url = `${call.world.api}/orgs/${org}/teams/${slug}/memberships/${login}`;
    return ok({ url, role: "member", state: "active" });
  }),
  route("GET", "/user", ({ world, caller }) => {
    if (caller.kind === "nobody") throw new Refusal(401, "Requires authentication");
    if (caller.kind !== "person" && caller.kind !== "signed in") throw new Refusal(403, "Resource not accessible by integration");
    return ok(profileJson(world, caller.account));
  }),
  route("GET", "/users/:username", (call) => ok(profileJson(call.world, personIn(call)))),
];

function personIn(call: Call) {
  const account = call.world.accounts.get(parameter(call, "username").toLowerCase());
  if (!account) throw notFound();
  return account;
}
