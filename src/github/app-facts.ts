import type { GitHub } from "./github.ts";

/** What GitHub knows of the App. https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app */
export interface AppFacts {
  readonly slug: string;
  readonly owner: string;
  /** `{ contents: "read" }` */
  readonly permissions: Readonly<Record<string, string>>;
  readonly events: readonly string[];
  /** GitHub's clock when it answered. */
  readonly askedAt: Date;
}

export async function readApp(github: GitHub): Promise<AppFacts> {
  const { request } = await github.asApp();
  const { data, headers } = await request("GET /app");
  return {
    slug: data?.slug ?? "",
    owner: data?.owner !== undefined && data.owner !== null && "login" in data.owner ? data.owner.login : "",
    permissions: textsOf(data?.permissions),
    events: data?.events ?? [],
    askedAt: new Date(headers.date ?? Number.NaN),
  };
}

/** Where the App is installed, with what its owner there has accepted. */
export interface InstallationFacts {
  readonly id: number;
  readonly account: string;
  readonly permissions: Readonly<Record<string, string>>;
  readonly suspended: boolean;
}

/** The first hundred. https://docs.github.com/en/rest/apps/apps#list-installations-for-the-authenticated-app */
export async function readInstallations(github: GitHub): Promise<readonly InstallationFacts[]> {
  const { request } = await github.asApp();
  const { data } = await request("GET /app/installations", { per_page: 100 });
  return data.map((one) => ({
    id: one.id,
    account: one.account !== null && "login" in one.account ? one.account.login : String(one.id),
    permissions: textsOf(one.permissions),
    suspended: one.suspended_at !== null,
  }));
}

/** How GitHub fared with the App's webhook address lately, the newest first, and which address that was. */
export interface HookFacts {
  readonly deliveries: readonly { readonly event: string; readonly status: string; readonly code: number; readonly at: Date }[];
  /** `null` when nothing was delivered yet. */
  readonly url: string | null;
}

/** https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook */
export async function readHook(github: GitHub): Promise<HookFacts> {
  const { request } = await github.asApp();
  const { data } = await request("GET /app/hook/deliveries", { per_page: 30 });
  const [newest] = data;
  const url =
    newest === undefined
      ? null
      : ((await request(`GET /app/hook/deliveries/${newest.id}`)).data as { readonly url?: string }).url;
  return {
    deliveries: data.map((one) => ({
      event: one.event,
      status: one.status,
      code: one.status_code,
      at: new Date(one.delivered_at),
    })),
    url: url ?? null,
  };
}

function textsOf(permissions: object | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(permissions ?? {}).map(([name, level]) => [name, String(level)]));
}
