import { type Pace, usualPace } from "../../elsewhere/pace.ts";
import { follow } from "../elsewhere/follow.ts";
import { neededSecret } from "../elsewhere/secret.ts";
import { stepsOf } from "../elsewhere/steps.ts";
import { withEnding } from "../elsewhere/with-ending.ts";
import { type AnyRunner, defineRunner } from "../runner.ts";
import { webhookBuild } from "./build.ts";
import { options, type WebhookOptions } from "./options.ts";

/** Lets any CI that takes a POST run the check. */
export function webhook(pace: Pace = usualPace): AnyRunner {
  return defineRunner<WebhookOptions>({
    name: "webhook",
    options,
    run: ({ url, secret: name }, order, io) =>
      withEnding(stepsOf(io), async (steps) => {
        const secret = await neededSecret(order, name);
        const service = { name: new URL(url).host, fetch: order.fetch, headers: {}, timeout: pace.request };
        return follow(webhookBuild({ service, url, secret, order, steps, io }), order, io, pace);
      }),
  });
}
