import { databaseUrl, host, hostAndPort, innerAddress, publicUrl, webAddress } from "./addresses.ts";
import { headerList, issuedByGitHub, metricsToken, privateKey, secretKey, webhookSecret } from "./credentials.ts";
import { absoluteFolder, deployPath } from "./folders.ts";
import { packageName } from "./package-name.ts";
import { repositoryPattern } from "./repository-pattern.ts";
import { duration, list, oneOf, size, Wrong, wholeNumber } from "./values.ts";

/** What is known about one setting; `.env.example` is made from it. */
export interface Setting {
  /** A sentence. */
  readonly meaning: string;
  /** The default, written as people write it. */
  readonly fallback?: string;
  /** What `.env.example` shows where there is no default. */
  readonly example?: string;
  /** Never printed, and also taken from the file that `NAME_FILE` names. */
  readonly secret?: true;
  /** Throws `Wrong`. */
  readonly read: (text: string) => unknown;
}

/** The settings by the headings of `.env.example`. */
export const groups = {
  "The GitHub App (without these the server opens its set-up page)": {
    APP_ID: { meaning: "The App's id, from its settings page.", example: "123456", read: wholeNumber(1, 999_999_999_999) },
    PRIVATE_KEY: { meaning: "The App's private key, with \\n for line breaks, or in base64.", secret: true, read: privateKey },
    PRIVATE_KEY_PATH: {
      meaning: "The file with the App's private key; instead of PRIVATE_KEY.",
      example: "./signalbox.pem",
      read: String,
    },
    WEBHOOK_SECRET: { meaning: "Signs what GitHub sends; at least 16 characters.", secret: true, read: webhookSecret },
    WEBHOOK_SECRET_PREVIOUS: {
      meaning: "A second secret that is accepted while you rotate the first one.",
      secret: true,
      read: webhookSecret,
    },
    GITHUB_CLIENT_ID: {
      meaning: "The App's client id, for signing in with GitHub.",
      example: "Iv23abcdefgh",
      read: issuedByGitHub,
    },
    GITHUB_CLIENT_SECRET: { meaning: "The App's client secret, for signing in with GitHub.", secret: true, read: issuedByGitHub },
  },
  "Where GitHub is": {
    GHE_HOST: {
      meaning: "The host of GitHub Enterprise, with its port if it has one; github.com when not set.",
      example: "github.example.com",
      read: hostAndPort,
    },
    GHE_PROTOCOL: { meaning: "https or http, for GHE_HOST.", fallback: "https", read: oneOf("https", "http") },
    WEBHOOK_PROXY_URL: {
      meaning: "A smee.io channel that brings webhooks to a machine that GitHub cannot reach; for development.",
      example: "https://smee.io/your-channel",
      read: webAddress,
    },
    NO_SMEE_SETUP: {
      meaning: "false lets the set-up page ask smee.io for a channel; nothing else ever contacts it unasked.",
      fallback: "true",
      read: oneOf("true", "false"),
    },
    GH_ORG: {
      meaning: "The organization that the set-up page registers the App for; your own account when not set.",
      example: "acme",
      read: organization,
    },
  },
  "The server": {
    HOST: { meaning: "The address to listen on; 0.0.0.0 for all of them.", fallback: "127.0.0.1", read: host },
    PORT: { meaning: "The port to listen on; 0 takes a free one.", fallback: "3000", read: wholeNumber(0, 65_535) },
    PUBLIC_URL: {
      meaning: "Where people and GitHub reach the server, the base of every link; http://HOST:PORT when not set.",
      example: "https://ci.example.com",
      read: publicUrl,
    },
    DATA_DIR: {
      meaning: "The one directory: database, mirrors, workspaces, sites, secret key; relative to package.json.",
      fallback: "./data",
      read: String,
    },
    DATABASE_URL: {
      meaning: "A PostgreSQL database, to run several replicas (postgres://USER@HOST/NAME); SQLite in DATA_DIR when not set.",
      secret: true,
      read: databaseUrl,
    },
    ROLE: {
      meaning: "all, web (webhooks and pages) or worker (runs); other than all only with PostgreSQL.",
      fallback: "all",
      read: oneOf("all", "web", "worker"),
    },
    SECRET_KEY: {
      meaning: "64 hexadecimal digits that encrypt the secrets in the database; made in DATA_DIR when not set.",
      secret: true,
      read: secretKey,
    },
    DASHBOARD_AUTH: {
      meaning: "github, or none, which is refused unless HOST and PUBLIC_URL are loopback.",
      fallback: "github",
      read: oneOf("github", "none"),
    },
    PUBLIC_LOGS: {
      meaning: "Public repositories whose runs and logs anybody may read without signing in; none when not set.",
      example: "acme/website",
      read: list(repositoryPattern),
    },
    METRICS_TOKEN: {
      meaning: "Who sends it as a bearer token may read /metrics from anywhere; when not set only this machine itself may.",
      secret: true,
      read: metricsToken,
    },
    PLUGINS: {
      meaning: "npm packages with more targets, installed beside package.json; docs/writing-a-target.md says how to write one.",
      example: "signalbox-target-webdav",
      read: list(packageName),
    },
  },
  "What repositories may do": {
    ALLOWED_REPOSITORIES: {
      meaning: "The repositories whose files are obeyed; those of the App's owner when not set.",
      example: "acme/*,octo/shop",
      read: list(repositoryPattern),
    },
    DEPLOY_PATHS: {
      meaning: "Where the directory target of a repository may write besides DATA_DIR/sites/OWNER/REPO.",
      example: "acme/shop=/srv/shop,acme/*=/srv/sites",
      read: list(deployPath),
    },
    TOOLS_PATHS: {
      meaning: "Folders that every check may read (tool chains outside /usr); the bin of each comes first on PATH.",
      example: "/opt/node-24,/opt/go",
      read: list(absoluteFolder),
    },
    OUTBOUND_ALLOW: {
      meaning: "Loopback and link-local addresses that URLs in repository files may reach; all others of that kind are refused.",
      example: "127.0.0.1:8080,[::1]:8080",
      read: list(innerAddress),
    },
    SANDBOX: {
      meaning: "bubblewrap, or none: then checks have the server's own rights and those of forks never run.",
      fallback: "bubblewrap",
      read: oneOf("bubblewrap", "none"),
    },
    CONTEXT_PREFIX: {
      meaning: "The name of our commit statuses, when several Signalboxes watch one repository.",
      fallback: "signalbox",
      read: contextPrefix,
    },
    SHOW_CHECKS_AS: {
      meaning:
        "statuses, or check-runs: with a summary, the lines that ::error names, and a Re-run button; the App then needs checks: write.",
      fallback: "statuses",
      read: oneOf("statuses", "check-runs"),
    },
  },
  Limits: {
    CONCURRENCY: {
      meaning: "Runs at once on this machine; the number of cores when not set.",
      example: "4",
      read: wholeNumber(1, 1000),
    },
    // Timers of Node end at 2^31 ms, a little less than 25 days.
    MAX_TIMEOUT: { meaning: "The longest time that a run may take.", fallback: "2h", read: duration(24) },
    MAX_LOG_SIZE: { meaning: "The most that is kept of a run's log.", fallback: "64mb", read: size },
    LOG_RETENTION: { meaning: "How long logs are kept.", fallback: "90d", read: duration(36_500) },
    HISTORY_RETENTION: { meaning: "How long runs and their history are kept.", fallback: "365d", read: duration(36_500) },
  },
  "What the server tells of itself": {
    OTEL_EXPORTER_OTLP_ENDPOINT: {
      meaning: "Where an OpenTelemetry collector takes traces by OTLP over HTTP, without /v1/traces; none are made when not set.",
      example: "http://127.0.0.1:4318",
      read: webAddress,
    },
    OTEL_EXPORTER_OTLP_HEADERS: {
      meaning: "Headers for it, such as a key: name=value, separated by commas.",
      secret: true,
      read: headerList,
    },
    LOG_LEVEL: {
      meaning: "trace, debug, info, warn, error or fatal.",
      fallback: "info",
      read: oneOf("trace", "debug", "info", "warn", "error", "fatal"),
    },
    LOG_FORMAT: {
      meaning: "json or pretty; when not set, json where NODE_ENV is production and pretty elsewhere.",
      example: "json",
      read: oneOf("json", "pretty"),
    },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Setting>>>>;

type Groups = typeof groups;
type Union<Kinds> = Kinds extends unknown ? (kinds: Kinds) => void : never;
type Table = Union<Groups[keyof Groups]> extends (kinds: infer All) => void ? All : never;

/** The name of a setting. */
export type Name = keyof Table & string;

/** What was read: `null` where nothing was said and there is no default. */
export type Values = {
  readonly [Key in Name]: Table[Key] extends { readonly read: (text: string) => infer Value; readonly fallback: string }
    ? Value
    : Table[Key] extends { readonly read: (text: string) => infer Value }
      ? Value | null
      : never;
};

/** Every setting with its name, in the order of `.env.example`. */
export const settings: readonly (readonly [name: Name, setting: Setting])[] = Object.values(groups).flatMap(
  (group) => Object.entries(group) as [Name, Setting][],
);

function organization(text: string): string {
  if (/^[\w-]+$/.test(text)) return text;
  throw new Wrong(`"${text}" is not an organization; write its name as it stands in its address`);
}

/** The slash after it separates the check's name, and GitHub takes contexts without case for the same. */
function contextPrefix(text: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,39}$/i.test(text)) return text;
  throw new Wrong(`"${text}" cannot be used; write at most 40 letters, digits, ".", "_" and "-"`);
}
