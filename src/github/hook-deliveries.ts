import type { GitHub } from "./github.ts";

/** One attempt of GitHub's to deliver a webhook to the App. https://docs.github.com/en/rest/apps/webhooks */
export interface HookDelivery {
  /** Digits that name the attempt (they may be beyond 2^53); the GUID names what is delivered, by however many attempts. */
  readonly id: string;
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly repository: number | null;
  readonly deliveredAt: Date;
}

export interface HookDeliveryPage {
  /** Newest first. */
  readonly deliveries: readonly HookDelivery[];
  /** Leads to older ones; `null` on the last page. */
  readonly next: string | null;
  /** By GitHub's clock. */
  readonly askedAt: Date;
}

/** The deliveries to the App's webhook address, by page; the first without a cursor. */
export async function listHookDeliveries(github: GitHub, cursor: string | null): Promise<HookDeliveryPage> {
  const { request } = await github.asApp();
  const { data, headers } = await request("GET /app/hook/deliveries", {
    per_page: 100,
    ...(cursor === null ? {} : { cursor }),
  });
  const askedAt = new Date(headers.date ?? Number.NaN);
  return {
    deliveries: data.map((one) => ({
      id: String(one.id),
      guid: one.guid,
      event: one.event,
      action: one.action,
      repository: one.repository_id === null ? null : Number(one.repository_id),
      deliveredAt: new Date(one.delivered_at),
    })),
    next: cursorOf(headers.link ?? ""),
    askedAt: Number.isNaN(askedAt.getTime()) ? new Date() : askedAt,
  };
}

/** GitHub lists all that an App was sent in one order, and knows no way to ask for one GUID. */
const mostPages = 50;
/** Between GitHub's clock and ours, and while a delivery is under way. */
const slack = 10 * 60_000;

/** The id of the newest attempt to deliver what we received then; `null` when GitHub does not list it any more, or lists too much since. */
export async function findHookDelivery(
  github: GitHub,
  { guid, receivedAt }: { readonly guid: string; readonly receivedAt: Date },
): Promise<string | null> {
  let cursor: string | null = null;
  for (let page = 0; page < mostPages; page += 1) {
    const { deliveries, next }: HookDeliveryPage = await listHookDeliveries(github, cursor);
    const found = deliveries.find((one) => one.guid === guid);
    if (found !== undefined) return found.id;
    const oldest = deliveries.at(-1);
    if (next === null || oldest === undefined || oldest.deliveredAt.getTime() < receivedAt.getTime() - slack) return null;
    cursor = next;
  }
  return null;
}

/** Has GitHub deliver it once more, with the same GUID. */
export async function redeliver(github: GitHub, id: string): Promise<void> {
  const { request } = await github.asApp();
  // The typed parameter is a number, which the id may not fit.
  await request(`POST /app/hook/deliveries/${id}/attempts`);
}

/** https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api#using-link-headers */
function cursorOf(link: string): string | null {
  const [, address = ""] = /<([^>]+)>;\s*rel="next"/.exec(link) ?? [];
  return URL.canParse(address) ? new URL(address).searchParams.get("cursor") : null;
}
