import type { Environment } from "./read-values.ts";
import type { Values } from "./table.ts";

/** What is known before the App is registered. */
export interface Ground {
  readonly host: string;
  /** 0 stands for a free port; then `publicUrl` has it too unless it was set. */
  readonly port: number;
  /** Without a slash at its end. */
  readonly publicUrl: string;
  /** GitHub's addresses, without a slash at their end; the only place that knows them. */
  readonly github: { readonly web: string; readonly api: string };
  readonly webhookProxyUrl: string | null;
  readonly log: { readonly level: Values["LOG_LEVEL"]; readonly format: "json" | "pretty" };
}

/** The part of the settings that needs no App. */
export function groundFrom(values: Values, env: Environment): Ground {
  const host = values.HOST;
  return {
    host,
    port: values.PORT,
    publicUrl: values.PUBLIC_URL ?? `http://${host.includes(":") ? `[${host}]` : host}:${values.PORT}`,
    github: gitHubAt(values.GHE_HOST, values.GHE_PROTOCOL),
    webhookProxyUrl: values.WEBHOOK_PROXY_URL,
    log: { level: values.LOG_LEVEL, format: values.LOG_FORMAT ?? (env.NODE_ENV === "production" ? "json" : "pretty") },
  };
}

/** https://docs.github.com/enterprise-cloud@latest/rest/using-the-rest-api/getting-started-with-the-rest-api (for `*.ghe.com`). */
function gitHubAt(host: string | null, protocol: "http" | "https"): Ground["github"] {
  if (host === null || host === "github.com") return { web: "https://github.com", api: "https://api.github.com" };
  const web = `${protocol}://${host}`;
  return { web, api: host.endsWith(".ghe.com") ? `${protocol}://api.${host}` : `${web}/api/v3` };
}
