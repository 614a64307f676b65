import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createWebhooks, type WebhookOptions } from "./deeds/webhooks.ts";
import { type Account, type App, account, type Permissions, type World } from "./world.ts";

/** What `app.yml` asks for. */
export const usualPermissions: Permissions = {
  metadata: "read",
  contents: "read",
  pull_requests: "write",
  issues: "write",
  statuses: "write",
  deployments: "write",
  checks: "read",
};

const EVENTS = [
  "pull_request",
  "push",
  "deployment",
  "deployment_status",
  "status",
  "check_run",
  "check_suite",
  "issue_comment",
  "repository",
];

export interface WorldOptions extends WebhookOptions {
  readonly slug?: string;
  /** The account that owns the App; an organization, `acme`, when missing. */
  readonly appOwner?: string;
  /** What the App may do; what Signalbox asks for in `app.yml` when missing. */
  readonly permissions?: Permissions;
  readonly events?: readonly string[];
}

/** A GitHub with one App and its owner, and nothing else. */
export function createWorld(origin: string, folder: string, options: WorldOptions): World {
  const clock = createClock();
  let lastId = 1000;
  const id = () => {
    lastId += 1;
    return lastId;
  };
  const accounts = new Map<string, Account>();
  const app = createApp({ accounts, clock, id }, options);
  return {
    origin,
    api: `${origin}/api/v3`,
    folder,
    app,
    accounts,
    repositories: new Map(),
    moved: new Map(),
    installations: new Map(),
    teams: new Map(),
    credentials: new Map(),
    signIns: new Map(),
    hooks: createWebhooks(app, clock, id, options),
    clock,
    id,
  };
}

function createApp(world: Pick<World, "accounts" | "clock" | "id">, options: WorldOptions): App {
  const slug = options.slug ?? "signalbox";
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  return {
    id: world.id(),
    hookId: world.id(),
    slug,
    owner: account(world, options.appOwner ?? "acme", "Organization"),
    bot: account(world, `${slug}[bot]`, "Bot"),
    clientId: `Iv23li${randomBytes(7).toString("hex")}`,
    clientSecret: randomBytes(20).toString("hex"),
    privateKey,
    publicKey,
    webhookSecret: randomBytes(20).toString("hex"),
    permissions: options.permissions ?? usualPermissions,
    events: options.events ?? EVENTS,
    createdAt: world.clock.now(),
  };
}

function createClock(): World["clock"] {
  let ahead = 0;
  return {
    now: () => new Date(Date.now() + ahead),
    advance: (milliseconds) => {
      ahead += milliseconds;
    },
  };
}
