import type { Pace } from "../../elsewhere/pace.ts";
import type { Io } from "../../process/io.ts";
import { carryOut, deploymentPace } from "../elsewhere/carry-out.ts";
import { type AnyTarget, type Deployed, type DeployOrder, defineTarget, missingSecret } from "../target.ts";
import { type Handle, handle, release, webhookDeployment } from "./deployment.ts";
import { options, type WebhookOptions } from "./options.ts";

/** A receiver that does not know "cancel" never calls back after it. */
const receiverPace: Pace = { ...deploymentPace, goodbye: 60_000 };

/** Lets anything that takes a POST deploy. */
export function webhook(pace: Pace = receiverPace): AnyTarget {
  async function run(
    { url, secret: name }: WebhookOptions,
    rollback: Handle["rollback"],
    from: Handle | null,
    order: DeployOrder,
    io: Io,
  ): Promise<Deployed> {
    const secret = await order.secret(name);
    if (secret === null) return missingSecret(name, order);
    const service = { name: new URL(url).host, fetch: order.fetch, headers: {}, timeout: pace.request };
    return carryOut(webhookDeployment({ service, url, secret, rollback, order, io }), from, order, io, pace);
  }

  return defineTarget<WebhookOptions>({
    name: "webhook",
    options,
    deploy: (given, order, io) => run(given, null, null, order, io),
    async restore(given, before, order, io) {
      const known = release.safeParse(before);
      if (known.success) return run(given, known.data, null, order, io);
      return { kind: "refused", reason: "its receiver told no release; deploy its commit again", live: "unchanged" };
    },
    async resume(given, remembered, order, io) {
      const from = handle.safeParse(remembered);
      return from.success ? run(given, from.data.rollback, from.data, order, io) : null;
    },
  });
}
