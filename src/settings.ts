import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import type { Address } from "./settings/addresses.ts";
import { contradictions, doubts } from "./settings/contradictions.ts";
import { MAKE_ONE } from "./settings/credentials.ts";
import type { DeployPath } from "./settings/folders.ts";
import { type Ground, groundFrom } from "./settings/ground.ts";
import { type Environment, type Files, home, isSaid, readValues } from "./settings/read-values.ts";
import type { RepositoryPattern } from "./settings/repository-pattern.ts";
import type { Name, Values } from "./settings/table.ts";
import { typosIn } from "./settings/typos.ts";

/** The server's settings, checked; durations in milliseconds, sizes in bytes, paths absolute. */
export interface Settings extends Ground {
  readonly appId: number;
  /** PEM, PKCS #8. */
  readonly privateKey: string;
  /** The first signs; all are accepted. */
  readonly webhookSecrets: readonly [string, ...string[]];
  readonly dataDir: string;
  /** `null` stands for SQLite in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly role: Values["ROLE"];
  /** `null` stands for the key in `dataDir`. */
  readonly secretKey: Uint8Array | null;
  /** `null`: only this machine itself may read the metrics. */
  readonly metricsToken: string | null;
  readonly dashboardAuth:
    | { readonly kind: "none" }
    | { readonly kind: "github"; readonly clientId: string; readonly clientSecret: string };
  /** `null` stands for all repositories of the App's owner, whom only GitHub knows. */
  readonly allowedRepositories: readonly RepositoryPattern[] | null;
  /** Whose runs everybody may read, as long as they are public at GitHub. */
  readonly publicLogs: readonly RepositoryPattern[];
  readonly deployPaths: readonly DeployPath[];
  readonly toolsPaths: readonly string[];
  readonly outboundAllow: readonly Address[];
  readonly sandbox: Values["SANDBOX"];
  /** Names of npm packages. */
  readonly plugins: readonly string[];
  readonly contextPrefix: string;
  readonly showChecksAs: Values["SHOW_CHECKS_AS"];
  readonly concurrency: number;
  readonly maxTimeout: number;
  readonly maxLogSize: number;
  /** `null`: no traces are made. */
  readonly traces: { readonly endpoint: string; readonly headers: Readonly<Record<string, string>> } | null;
  readonly logRetention: number;
  readonly historyRetention: number;
}

/** What was said about the set-up page. */
export interface SetUpWishes {
  /** `null` stands for the account of the person who registers the App. */
  readonly organization: string | null;
  /** Whether smee.io may be asked for a channel. */
  readonly smee: boolean;
}

/** What the environment says; `warnings` change nothing. */
export type SettingsRead = { readonly warnings: readonly string[] } & (
  | { readonly kind: "settings"; readonly settings: Settings }
  /** No App yet: open the set-up page. */
  | { readonly kind: "unregistered"; readonly ground: Ground; readonly setUp: SetUpWishes }
  /** One line each, for people; none quotes a secret. */
  | { readonly kind: "problems"; readonly problems: readonly string[] }
);

/** Checks the whole environment and reports every problem at once. */
export function readSettings(env: Environment, files: Files): SettingsRead {
  const { values, problems } = readValues(env, files);
  const ground = groundFrom(values, env);
  const dataDir = resolve(files.folder ?? home, values.DATA_DIR);
  const warnings = [...typosIn(Object.keys(env)), ...doubts(values, ground)];
  const found = [...problems, ...contradictions(values, ground, dataDir)];

  if (REGISTRATION.every((name) => !isSaid(name, env))) {
    if (found.length > 0) return { kind: "problems", problems: found, warnings };
    return {
      kind: "unregistered",
      ground,
      setUp: { organization: values.GH_ORG, smee: values.NO_SMEE_SETUP === "false" },
      warnings,
    };
  }

  const missing = [...REGISTRATION, ...signInNeeds(values)].filter((name) => !isSaid(name, env));
  const { APP_ID: appId, PRIVATE_KEY: privateKey, WEBHOOK_SECRET: webhookSecret } = values;
  const dashboardAuth = dashboardAuthFrom(values);
  if (found.length > 0 || missing.length > 0 || !appId || !privateKey || !webhookSecret || !dashboardAuth) {
    return {
      kind: "problems",
      problems: [...missing.map((name) => `${name} is missing; ${REMEDIES[name]}`), ...found],
      warnings,
    };
  }
  const settings: Settings = {
    ...ground,
    appId,
    privateKey,
    webhookSecrets: values.WEBHOOK_SECRET_PREVIOUS === null ? [webhookSecret] : [webhookSecret, values.WEBHOOK_SECRET_PREVIOUS],
    dataDir,
    databaseUrl: values.DATABASE_URL,
    role: values.ROLE,
    secretKey: values.SECRET_KEY,
    metricsToken: values.METRICS_TOKEN,
    dashboardAuth,
    allowedRepositories: values.ALLOWED_REPOSITORIES,
    publicLogs: values.PUBLIC_LOGS ?? [],
    deployPaths: values.DEPLOY_PATHS ?? [],
    toolsPaths: values.TOOLS_PATHS ?? [],
    outboundAllow: values.OUTBOUND_ALLOW ?? [],
    sandbox: values.SANDBOX,
    plugins: values.PLUGINS ?? [],
    contextPrefix: values.CONTEXT_PREFIX,
    showChecksAs: values.SHOW_CHECKS_AS,
    concurrency: values.CONCURRENCY ?? availableParallelism(),
    maxTimeout: values.MAX_TIMEOUT,
    maxLogSize: values.MAX_LOG_SIZE,
    traces:
      values.OTEL_EXPORTER_OTLP_ENDPOINT === null
        ? null
        : { endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT, headers: values.OTEL_EXPORTER_OTLP_HEADERS ?? {} },
    logRetention: values.LOG_RETENTION,
    historyRetention: values.HISTORY_RETENTION,
  };
  return { kind: "settings", settings, warnings };
}

/** The environment on top of the folder's `.env`; a folder without one is no problem, an unreadable one is. */
export function loadEnvironment(folder: string, env: Environment): Environment {
  const path = join(folder, ".env");
  try {
    return { ...parseEnv(readFileSync(path, "utf8")), ...env };
  } catch (error) {
    if (Error.isError(error) && "code" in error && error.code === "ENOENT") return env;
    throw new Error(`The settings in ${path} cannot be read; let the server's user read the file, or remove it`, {
      cause: error,
    });
  }
}

const REGISTRATION = ["APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET"] as const satisfies readonly Name[];
const SIGN_IN = ["GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"] as const satisfies readonly Name[];
const SIGN_IN_REMEDY = "copy it from the App's settings page, or set DASHBOARD_AUTH=none on a machine that only you reach";
const REMEDIES: Readonly<Record<(typeof REGISTRATION)[number] | (typeof SIGN_IN)[number], string>> = {
  APP_ID: "copy it from the App's settings page on GitHub",
  PRIVATE_KEY: "download one from the App's settings page, and name its file in PRIVATE_KEY_PATH",
  WEBHOOK_SECRET: MAKE_ONE,
  GITHUB_CLIENT_ID: SIGN_IN_REMEDY,
  GITHUB_CLIENT_SECRET: SIGN_IN_REMEDY,
};

function signInNeeds(values: Values): readonly (typeof SIGN_IN)[number][] {
  return values.DASHBOARD_AUTH === "github" ? SIGN_IN : [];
}

function dashboardAuthFrom(values: Values): Settings["dashboardAuth"] | null {
  if (values.DASHBOARD_AUTH === "none") return { kind: "none" };
  const { GITHUB_CLIENT_ID: clientId, GITHUB_CLIENT_SECRET: clientSecret } = values;
  return clientId === null || clientSecret === null ? null : { kind: "github", clientId, clientSecret };
}
