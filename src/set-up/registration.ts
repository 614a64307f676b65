import { parse } from "yaml";
import { z } from "zod";
import type { Ground } from "../settings/ground.ts";

/** Our settings as `.env` has them. */
export type Credentials = Readonly<Record<string, string>>;

/** The App as GitHub has just made it. */
export interface Registered {
  readonly credentials: Credentials;
  readonly installUrl: string;
}

/** `app.yml` with the addresses of this server; `redirectUrl` is where GitHub sends the browser with the code. */
export function manifestFor(appYml: string, { publicUrl, webhookProxyUrl }: Ground, redirectUrl: string) {
  return {
    ...manifestSchema.parse(parse(appYml)),
    url: publicUrl,
    hook_attributes: { url: webhookProxyUrl ?? `${publicUrl}/api/github/webhooks`, active: true },
    callback_urls: [`${publicUrl}/login/callback`],
    redirect_url: redirectUrl,
  };
}

/** The page of GitHub that takes the manifest; it gives `state` back, which proves that we asked. */
export function registrationUrl({ github }: Ground, organization: string | null, state: string): string {
  const account = organization === null ? "" : `/organizations/${organization}`;
  return `${github.web}${account}/settings/apps/new?state=${state}`;
}

/**
 * Exchanges the code for the App's credentials, which works once within an hour.
 * https://docs.github.com/rest/apps/apps#create-a-github-app-from-a-manifest
 */
export async function exchangeCode(code: string, { github }: Ground, stop: AbortSignal): Promise<Registered> {
  const response = await fetch(`${github.api}/app-manifests/${encodeURIComponent(code)}/conversions`, {
    method: "POST",
    headers: { accept: "application/vnd.github+json", "user-agent": "signalbox" },
    signal: AbortSignal.any([stop, AbortSignal.timeout(30_000)]),
  });
  if (!response.ok) {
    throw new Error(`${github.api} answered ${response.status} to the exchange of the code; register the App again`);
  }
  const app = conversionSchema.parse(await response.json());
  return {
    credentials: {
      APP_ID: String(app.id),
      PRIVATE_KEY: app.pem,
      GITHUB_CLIENT_ID: app.client_id,
      GITHUB_CLIENT_SECRET: app.client_secret,
      // GitHub's description allows null; then the next start says what to do.
      ...(app.webhook_secret === null ? {} : { WEBHOOK_SECRET: app.webhook_secret }),
    },
    installUrl: `${app.html_url}/installations/new`,
  };
}

const manifestSchema = z.looseObject({ name: z.string(), default_permissions: z.record(z.string(), z.string()) });

const conversionSchema = z.object({
  id: z.number(),
  pem: z.string(),
  client_id: z.string(),
  client_secret: z.string(),
  webhook_secret: z.string().nullable(),
  html_url: z.url({ protocol: /^https?$/ }),
});
