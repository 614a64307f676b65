import type { World } from "../world.ts";
import type { Occurrence } from "./webhooks.ts";

/** What GitHub sends when a webhook address is saved: https://docs.github.com/en/webhooks/webhook-events-and-payloads#ping */
export function pingFor(world: World, url: string): Occurrence {
  const { app } = world;
  const hook = `${world.api}/app/hook`;
  const at = app.createdAt.toISOString();
  const payload = {
    zen: "Half measures are as bad as nothing at all.",
    hook_id: app.hookId,
    hook: {
      type: "App",
      id: app.hookId,
      name: "web",
      active: true,
      app_id: app.id,
      events: app.events,
      config: { content_type: "json", url, insecure_ssl: "0", secret: "********" },
      created_at: at,
      updated_at: at,
      url: `${hook}/config`,
      ping_url: `${hook}/pings`,
      deliveries_url: `${hook}/deliveries`,
    },
  };
  return { event: "ping", action: null, installation: null, repository: null, payload: JSON.stringify(payload) };
}
