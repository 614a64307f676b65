import { z } from "zod";
import { webAddress } from "../../elsewhere/options.ts";
import { secretName } from "../target.ts";

/** `with:` of the target `webhook`. */
export const options = z
  .strictObject({
    url: webAddress().describe("Where the POST goes. It has 15 seconds to be answered with 2xx; a redirect is not followed."),
    secret: secretName.describe(
      "The name of a secret that signs the POST. `X-Signalbox-Timestamp` holds the time in seconds since 1970, `X-Signalbox-Signature` holds `sha256=` and the HMAC SHA-256, in hexadecimal digits, of that time, a full stop and the body as it was sent. Compare it in constant time and refuse what is older than five minutes.",
    ),
  })
  .describe(
    'Anything that takes a POST: a signed one begins the deployment, a call back tells the result. The JSON that is sent holds `action` ("deploy"; "rollback" to put `release` back; "cancel" when it is not wanted any more: stop it and call back), `run` (the address of the run\'s page, which names the deployment: the same run may be sent twice, with the same `Idempotency-Key`, and is one deployment), `environment`, `repository` (`owner`, `name`, `clone_url`), `sha`, `ref`, and, but for "cancel", `callback`: an address that takes one POST with the JSON `{ "result": "passed" | "failed", "what"?, "log"?, "url"?, "release"?, "live"? }`. `what` says in a few words what failed, `log` is shown, `url` is where people find what is live. `release` is any JSON up to 10 KB and 100 deep, sent with a later "rollback" to this deployment; without it a rollback deploys the commit again. `live` of a failure is "unchanged" when what was live still is. The address is a secret and works once; where the JSON holds it, or the secret that signs, it is kept with `***` in its place.',
  );

export type WebhookOptions = z.infer<typeof options>;
