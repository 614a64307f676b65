import { z } from "zod";
import { secretName, webAddress } from "../../elsewhere/options.ts";

/** `with:` of the runner `webhook`. */
export const options = z
  .strictObject({
    url: webAddress().describe("Where the other CI takes the POST. It has 15 seconds to answer 2xx; a redirect is not followed."),
    secret: secretName().describe(
      "The name of a secret that signs the POST. `X-Signalbox-Timestamp` holds the time in seconds since 1970, `X-Signalbox-Signature` holds `sha256=` and the HMAC SHA-256, in hexadecimal digits, of that time, a full stop and the body as it was sent. Compare it in constant time and refuse what is older than five minutes.",
    ),
  })
  .describe(
    'Any other CI: a signed POST starts it, a call back tells the result. The JSON that is sent holds `action` ("run", or "cancel" for a run that is not wanted any more), `run` (the address of the run\'s page, which names it), `check`, `repository` (`owner`, `name`, `clone_url`), `sha`, `ref`, `pull_request`, `timeout` (seconds) and, for "run", `callback`: an address that takes one POST with the JSON `{ "result": "passed" | "failed", "what"?, "log"?, "url"? }`. `what` says in a few words what failed, `log` is shown, `url` leads to the build. The address is a secret and works once; where the JSON holds it, or the secret that signs, it is kept with `***` in its place. The same run may be sent twice, after a crash also with another address; both work then, and the first call counts. `Idempotency-Key` is the same each time, and another one for each attempt.',
  );

export type WebhookOptions = z.infer<typeof options>;
