import { readHook } from "../github/app-facts.ts";
import { doubtful, type Finding, fine, wrong } from "./finding.ts";
import type { DoctorMeans } from "./means.ts";

/** Whether GitHub's webhooks arrive, and at the right address. `path` is where the server takes them. */
export async function examineWebhook({ github, settings }: DoctorMeans, path: string): Promise<readonly Finding[]> {
  const { deliveries, url } = await readHook(github);
  const wanted = settings.webhookProxyUrl ?? `${settings.publicUrl}${path}`;
  const [newest] = deliveries;
  if (newest === undefined || url === null)
    return [
      doubtful(
        "webhook",
        "GitHub has delivered nothing yet",
        `install the App on a repository; its webhook address must be ${wanted}`,
      ),
    ];
  const failed = deliveries.filter(({ status }) => status !== "OK");
  const where =
    url === wanted
      ? fine("webhook", `GitHub delivers to ${url}`)
      : wrong(
          "webhook",
          `GitHub delivers to ${url}, not to ${wanted}`,
          "set PUBLIC_URL, or the webhook address in the App's settings",
        );
  if (failed.length === 0) return [where, fine("webhook", `the last ${deliveries.length} deliveries arrived`)];
  const last = failed[0]?.status ?? "";
  const lately = newest.status !== "OK";
  const what = `${failed.length} of the last ${deliveries.length} deliveries failed, the newest of them with "${last}"`;
  const fix = `see whether ${wanted} can be reached from GitHub, and whether WEBHOOK_SECRET is the App's; what is missing is fetched every five minutes`;
  return [where, lately ? wrong("webhook", what, fix) : doubtful("webhook", `${what}; later ones arrived`, fix)];
}
