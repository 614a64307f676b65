import { runsCausedBy } from "../../../runs/read.ts";
import type { House, Request } from "../house.ts";
import { deliveryJson } from "../json/delivery.ts";
import { wholeNumber } from "../log-lines.ts";
import { deliveriesPage, deliveryPage } from "../pages/deliveries.ts";
import { pathOf } from "../pages/layout.ts";
import { type Delivery, listDeliveries, payloadOf } from "../receipts.ts";
import { viewerOf } from "../viewer.ts";
import { wantsJson } from "../wants-json.ts";

const atOnce = 50;

export async function showDeliveries(c: Request, house: House): Promise<Response> {
  const repository = c.get("repository");
  const before = wholeNumber(c.req.query("before"));
  const { deliveries, caused, more } = await house.database.read(async (db) => {
    const found = await listDeliveries(db, { repository: repository.id, before, limit: atOnce + 1 });
    const shown = found.slice(0, atOnce);
    const ids = shown.map(({ id }) => id);
    return { deliveries: shown, caused: await runsCausedBy(db, ids), more: found.length > atOnce };
  });
  if (!wantsJson(c)) return c.html(deliveriesPage(house, viewerOf(c, house), { repository, deliveries, caused, more }));
  const last = deliveries.at(-1)?.id;
  return c.json({
    deliveries: deliveries.map((one) => deliveryJson(one, caused.get(one.id) ?? [])),
    next: more ? `${house.settings.publicUrl}${pathOf(repository)}/deliveries?before=${last}` : null,
  });
}

export async function showDelivery(c: Request, house: House, delivery: Delivery): Promise<Response> {
  const repository = c.get("repository");
  const { payload, caused } = await house.database.read(async (db) => ({
    payload: await payloadOf(db, delivery.id),
    caused: (await runsCausedBy(db, [delivery.id])).get(delivery.id) ?? [],
  }));
  if (wantsJson(c)) return c.json({ ...deliveryJson(delivery, caused), payload: payload === null ? null : JSON.parse(payload) });
  const pretty = payload === null ? null : JSON.stringify(JSON.parse(payload), null, 2);
  return c.html(deliveryPage(house, viewerOf(c, house), { repository, delivery, payload: pretty, caused }));
}
