import type { Delivery } from "../deeds/webhooks.ts";
import { type Answer, clamp, notFound, ok, withParameter } from "../http/answers.ts";
import { appRoute, type Call, numberIn, type Route } from "../http/router.ts";

/** What was sent to the App's webhook address: https://docs.github.com/en/rest/apps/webhooks */
export const hookDeliveryRoutes: readonly Route[] = [
  appRoute("GET", "/app/hook/deliveries", listDeliveries),
  appRoute("GET", "/app/hook/deliveries/:id", (call) => ok(deliveryJson(deliveryIn(call)))),
  appRoute("POST", "/app/hook/deliveries/:id/attempts", (call) => {
    call.world.hooks.redeliver(deliveryIn(call));
    return { status: 202, body: {} };
  }),
];

/** Newest first; the cursor is opaque to callers and leads on by the `Link` header. */
function listDeliveries({ world, url }: Call): Answer {
  const size = clamp(Number(url.searchParams.get("per_page") ?? 30), 1, 100);
  const before = Number(url.searchParams.get("cursor")?.replace("v1_", "") ?? Number.MAX_SAFE_INTEGER);
  const wanted = url.searchParams.get("status");
  const all = world.hooks.deliveries.filter((delivery) => delivery.id < before && hasStatus(delivery, wanted)).reverse();
  const shown = all.slice(0, size);
  const last = shown.at(-1);
  const more = all.length > size && last ? { Link: `<${withParameter(url, "cursor", `v1_${last.id}`)}>; rel="next"` } : {};
  return { status: 200, body: shown.map(summaryJson), headers: more };
}

/** A failure is an answer of 400 to 599; nobody answering is, as on GitHub, neither. */
function hasStatus({ statusCode }: Delivery, wanted: string | null): boolean {
  if (wanted === "failure") return statusCode >= 400;
  return wanted !== "success" || (statusCode >= 200 && statusCode < 400);
}

function deliveryIn(call: Call): Delivery {
  const id = numberIn(call, "id");
  const delivery = call.world.hooks.deliveries.find((one) => one.id === id);
  if (!delivery) throw notFound();
  return delivery;
}

function summaryJson(delivery: Delivery): object {
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: delivery.deliveredAt.toISOString(),
    redelivery: delivery.redelivery,
    duration: delivery.duration,
    status: delivery.status,
    status_code: delivery.statusCode,
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installation,
    repository_id: delivery.repository,
    throttled_at: null,
  };
}

function deliveryJson(delivery: Delivery): object {
  return {
    ...summaryJson(delivery),
    url: delivery.url,
    request: { headers: delivery.request.headers, payload: JSON.parse(delivery.request.payload) },
    response: delivery.response,
  };
}
