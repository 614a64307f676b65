import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createWorld, type WorldOptions } from "./create-world.ts";
import { announceInstallation } from "./deeds/announce.ts";
import { pingFor } from "./deeds/ping.ts";
import type { Delivery, WebhookFault } from "./deeds/webhooks.ts";
import { type ApiFault, createFaults } from "./http/faults.ts";
import { type ApiRequest, createGitHubServer } from "./http/server.ts";
import { type NewRepositoryOptions, newRepository, type Repository } from "./repository.ts";
import { apiRoutes, webRoutes } from "./routes.ts";
import { account, newToken, type Permissions } from "./world.ts";

export interface GitHubOptions extends WorldOptions {
  /** 0, any free one, when missing. */
  readonly port?: number;
  /** Where the bare repositories go; a temporary folder that `close` removes when missing. */
  readonly folder?: string;
}

/** Somebody with an account, who may do what a repository's permissions say. */
export interface Person {
  readonly login: string;
  readonly id: number;
  /** For the API, and as the password of git over HTTP. */
  readonly token: string;
}

/** GitHub on a laptop: the API of an Enterprise Server below `/api/v3`, pages and git on the same port. Pass `host` as `GHE_HOST` and `http` as `GHE_PROTOCOL`. */
export interface GitHubStandIn {
  readonly url: string;
  /** `127.0.0.1:4321` */
  readonly host: string;
  readonly app: {
    readonly id: number;
    readonly slug: string;
    readonly clientId: string;
    readonly clientSecret: string;
    readonly privateKey: string;
    readonly webhookSecret: string;
  };
  /** Where events go from now on; what happened before is not sent. `null`: the webhook is switched off, and GitHub keeps no record. */
  webhooksTo(url: string | null): void;
  /** Made on first use. */
  person(login: string): Person;
  /** Makes a team of an organization, or gives it other members. */
  team(org: string, slug: string, members: readonly string[]): void;
  /** Makes a repository with a first commit on `main` and installs the App on it; an owner that is no person yet is an organization. */
  repository(options: NewRepositoryOptions): Promise<Repository>;
  /** Oldest first; grows. */
  readonly requests: readonly ApiRequest[];
  /** Counts from now on; of several that fit, the first that is not used up. */
  fault(fault: ApiFault | WebhookFault): void;
  /** From now on the API is well again. */
  endFaults(): void;
  /** Moves the clock by which tokens and codes expire. */
  advance(milliseconds: number): void;
  /** Gives the App these permissions and has every installation accept them. */
  accept(permissions: Permissions): void;
  /** Sends `ping`, as saving the webhook address does. */
  ping(): void;
  /** Sends the newest delivery of that GUID once more; resolves when it has been. */
  redeliver(guid: string): Promise<void>;
  /** Every attempt to deliver, oldest first. */
  deliveries(): readonly Delivery[];
  /** Resolves when no webhook is on its way. */
  idle(): Promise<void>;
  /** Ends every connection; safe to repeat. */
  close(): Promise<void>;
}

/** Starts a GitHub on 127.0.0.1, with nobody and nothing in it. */
export async function startGitHub(options: GitHubOptions = {}): Promise<GitHubStandIn> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "signalbox-github-")));
  const faults = createFaults();
  const requests: ApiRequest[] = [];
  const server = createGitHubServer({ world: () => world, routes: { api: apiRoutes, web: webRoutes }, faults, requests });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" && address ? address.port : options.port}`;
  const world = createWorld(`http://${host}`, folder, options);
  const tokens = new Map<string, string>();

  return {
    url: world.origin,
    host,
    app: world.app,
    requests,
    webhooksTo: (url) => world.hooks.to(url),
    person: (login) => {
      const person = account(world, login);
      const token = tokens.get(person.login) ?? newToken("ghp_");
      tokens.set(person.login, token);
      world.credentials.set(token, { kind: "person", account: person });
      return { login: person.login, id: person.id, token };
    },
    team: (org, slug, members) => {
      const logins = members.map((login) => account(world, login).login.toLowerCase());
      world.teams.set(`${org}/${slug}`.toLowerCase(), new Set(logins));
    },
    repository: (wish) => newRepository(world, wish),
    fault: (fault) => ("webhook" in fault ? world.hooks.fault(fault) : faults.add(fault)),
    endFaults: () => faults.end(),
    advance: (milliseconds) => world.clock.advance(milliseconds),
    accept: (permissions) => {
      world.app.permissions = permissions;
      for (const installation of world.installations.values()) {
        const covered = [...world.repositories.values()].filter(({ id }) => installation.repositories.has(id));
        announceInstallation(world, installation, "new_permissions_accepted", covered);
      }
    },
    ping: () => world.hooks.send(pingFor(world, world.hooks.address ?? world.origin)),
    redeliver: async (guid) => {
      const delivery = world.hooks.deliveries.findLast((one) => one.guid === guid);
      if (!delivery) throw new Error(`no delivery has the GUID ${guid}`);
      await world.hooks.redeliver(delivery);
    },
    deliveries: () => world.hooks.deliveries,
    idle: () => world.hooks.idle(),
    close: async () => {
      world.hooks.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await world.hooks.idle();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
