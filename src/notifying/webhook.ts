import { createHmac } from "node:crypto";
import { json, type Notifier } from "./notifier.ts";

/** Anything else that takes a POST: the news as JSON, signed as the runner `webhook` does. */
export const webhook: Notifier = {
  name: "webhook",
  address:
    "Anything else that takes a POST: the name of a secret that holds its address. The JSON has `subject` (the same for all that is told of one deployment, or of one commit's checks), `events`, `mood`, `headline`, `sentence`, `repository`, `sha`, `title`, `person`, `pull_request`, `environment`, `page` and `site`.",
  // What takes it may do so by `subject`; each change is told.
  changes: true,
  request({ url, key, subject, now }, { pullRequest, ...news }) {
    const body = JSON.stringify({ subject, ...news, pull_request: pullRequest });
    return { method: "POST", url, headers: { ...json, ...signed(key ?? "", body, now) }, body };
  },
  shown: () => "told",
};

function signed(key: string, body: string, now: Date): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  const signature = createHmac("sha256", key).update(`${timestamp}.${body}`).digest("hex");
  return { "x-signalbox-timestamp": timestamp, "x-signalbox-signature": `sha256=${signature}` };
}
