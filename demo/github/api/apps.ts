import { z } from "zod";
import { permissionsJson } from "../deeds/people.ts";
import { allows } from "../http/access.ts";
import { type Answer, created, forbidden, notFound, ok, page, Refusal, suspended } from "../http/answers.ts";
import { bodyOf } from "../http/body.ts";
import { appRoute, type Call, numberIn, parameter, type Route, route } from "../http/router.ts";
import { appJson, installationJson } from "../json/app.ts";
import { repositoryJson } from "../json/repository.ts";
import type { RepositoryState } from "../repository-state.ts";
import { appIdOf, findRepository, type Installation, installationOf, newToken, type Permissions, type World } from "../world.ts";

/** The App about itself and its installations: https://docs.github.com/en/rest/apps/apps */
export const appRoutes: readonly Route[] = [
  appRoute("GET", "/app", ({ world }) => ok({ ...appJson(world), installations_count: world.installations.size })),
  appRoute("GET", "/app/installations", ({ world, url }) => {
    const installations = [...world.installations.values()];
    return page(
      url,
      installations.map((installation) => installationJson(world, installation)),
    );
  }),
  appRoute("GET", "/app/installations/:id", (call) => ok(installationJson(call.world, installationIn(call)))),
  appRoute("POST", "/app/installations/:id/access_tokens", (call) => created(issueToken(call, installationIn(call)))),
  appRoute("GET", "/repos/:owner/:repo/installation", (call) => {
    const repository = findRepository(call.world, parameter(call, "owner"), parameter(call, "repo"));
    const installation = repository && installationOf(call.world, repository);
    if (!installation) throw notFound();
    return ok(installationJson(call.world, installation));
  }),
  route("GET", "/installation/repositories", visibleRepositories),
  // https://docs.github.com/en/rest/apps/apps#get-an-app; of another App little more than its id.
  route("GET", "/apps/:slug", (call) => {
    const slug = parameter(call, "slug");
    if (slug !== call.world.app.slug && !call.world.accounts.has(`${slug}[bot]`)) throw notFound();
    return ok({ ...appJson(call.world), id: appIdOf(call.world, slug), slug, name: slug });
  }),
];

/** https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app */
const LIFETIME = 3_600_000;

const tokenRequest = z.object({
  repositories: z.array(z.string()).optional(),
  repository_ids: z.array(z.int()).optional(),
  permissions: z.record(z.string(), z.enum(["read", "write"])).optional(),
});

function issueToken(call: Call, installation: Installation): object {
  const { world } = call;
  if (installation.suspendedAt !== null) throw suspended();
  const wish = bodyOf(call, "InstallationToken", tokenRequest);
  const permissions = wish.permissions ?? world.app.permissions;
  const excess = Object.entries(permissions).find(([name, level]) => !allows(world.app.permissions, `${name}:${level}`));
  if (excess) throw new Refusal(422, "The permissions requested are not granted to this installation.");
  const chosen = chosenRepositories(world, installation, wish);
  const token = newToken("ghs_");
  const expiresAt = new Date(world.clock.now().getTime() + LIFETIME);
  const repositories = chosen ? new Set(chosen.map(({ id }) => id)) : "all";
  world.credentials.set(token, {
    kind: "installation",
    installation,
    repositories,
    permissions: withMetadata(permissions),
    expiresAt,
  });
  return {
    token,
    expires_at: expiresAt.toISOString().replace(/\.\d+Z$/, "Z"),
    permissions: withMetadata(permissions),
    repository_selection: "selected",
    ...(chosen ? { repositories: chosen.map((repository) => repositoryJson(world, repository)) } : {}),
  };
}

/** `null` when the token is for all that the installation covers. */
function chosenRepositories(
  world: World,
  installation: Installation,
  wish: z.infer<typeof tokenRequest>,
): RepositoryState[] | null {
  if (!wish.repositories && !wish.repository_ids) return null;
  const covered = repositoriesOf(world, installation);
  const byId = (wish.repository_ids ?? []).map((id) => covered.find((repository) => repository.id === id));
  const byName = (wish.repositories ?? []).map((name) => covered.find((repository) => repository.name === name));
  return [...byId, ...byName].map((repository) => {
    if (!repository)
      throw new Refusal(
        422,
        "There is at least one repository that does not exist or is not accessible to the parent installation.",
      );
    return repository;
  });
}

function visibleRepositories({ world, caller, url }: Call): Answer {
  if (caller.kind !== "installation") throw forbidden();
  const visible = repositoriesOf(world, caller.installation).filter(
    ({ id }) => caller.repositories === "all" || caller.repositories.has(id),
  );
  return page(
    url,
    visible.map((repository) => ({ ...repositoryJson(world, repository), permissions: permissionsJson(null) })),
    (repositories) => ({ total_count: visible.length, repository_selection: "selected", repositories }),
  );
}

function installationIn(call: Call): Installation {
  const installation = call.world.installations.get(numberIn(call, "id"));
  if (!installation) throw notFound();
  return installation;
}

function repositoriesOf(world: World, installation: Installation): RepositoryState[] {
  return [...world.repositories.values()].filter(({ id }) => installation.repositories.has(id));
}

/** Every token may read metadata, asked for or not. */
function withMetadata(permissions: Permissions): Permissions {
  return { ...permissions, metadata: "read" };
}
