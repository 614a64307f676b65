import type { App, Installation, World } from "../world.ts";
import { accountJson, nodeId } from "./account.ts";

type Place = Pick<World, "api" | "origin" | "app">;

/** The App as `GET /app` and `performed_via_github_app` show it. */
export function appJson(world: Place): object {
  const { app } = world;
  return {
    id: app.id,
    slug: app.slug,
    node_id: nodeId("A", app.id),
    owner: accountJson(world, app.owner),
    name: nameOf(app),
    description: null,
    external_url: world.origin,
    html_url: `${world.origin}/apps/${app.slug}`,
    created_at: app.createdAt.toISOString(),
    updated_at: app.createdAt.toISOString(),
    permissions: app.permissions,
    events: app.events,
  };
}

export function installationJson(world: Place, installation: Installation): object {
  const { app } = world;
  return {
    id: installation.id,
    account: accountJson(world, installation.account),
    repository_selection: "selected",
    access_tokens_url: `${world.api}/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${world.api}/installation/repositories`,
    html_url: `${world.origin}/settings/installations/${installation.id}`,
    app_id: app.id,
    app_slug: app.slug,
    target_id: installation.account.id,
    target_type: installation.account.type,
    permissions: app.permissions,
    events: app.events,
    created_at: installation.createdAt.toISOString(),
    updated_at: installation.createdAt.toISOString(),
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: installation.suspendedAt === null ? null : accountJson(world, installation.account),
    suspended_at: installation.suspendedAt?.toISOString() ?? null,
  };
}

function nameOf(app: App): string {
  return app.slug.charAt(0).toUpperCase() + app.slug.slice(1);
}
