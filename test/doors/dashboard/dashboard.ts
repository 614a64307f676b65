import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { afterEach } from "@jest/globals";
import { pino } from "pino";
import { Probot } from "probot";
import { type Database, openDatabase } from "../../../src/database/connection.ts";
import { createDashboard } from "../../../src/doors/dashboard/routes.ts";
import { readFile } from "../../../src/github/contents.ts";
import { openGitHub } from "../../../src/github/github.ts";
import { rememberRepository } from "../../../src/github/repository.ts";
import { openMirrors } from "../../../src/process/checkout.ts";
import { loadRepositoryFile } from "../../../src/repository-file/load.ts";
import { repositoryPattern } from "../../../src/settings/repository-pattern.ts";
import { known } from "../../repository-file/known.ts";
import { checkedFetch } from "../../support/github-contract.ts";
import { type SignInServer, startSignInServer } from "./sign-in-server.ts";

/** The pages on a real server and a real database, with the repositories acme/shop (1) and acme/hidden (2). */
export interface Dashboard {
  readonly url: string;
  readonly database: Database;
  readonly github: SignInServer;
  /** Moves the clock of the pages and of the database. */
  advance(milliseconds: number): void;
  /** What the pages said in the log. */
  readonly log: readonly Record<string, unknown>[];
  /** Ends the open streams, as the server does when it stops. */
  stop(): void;
}

export interface DashboardChoice {
  readonly auth?: "github" | "none";
  /** Where people think they are; the server's own address when missing. */
  readonly publicUrl?: string;
  readonly clientSecret?: string;
  /** Patterns of public repositories whose runs everybody may read. */
  readonly publicLogs?: readonly string[];
}

const privateKey = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString();

/** Opens pages and closes them after each test. */
export function useDashboards(): (choice?: DashboardChoice) => Promise<Dashboard> {
  const endings: (() => Promise<unknown> | unknown)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0).toReversed()) await end();
  });

  return async ({ auth = "none", publicUrl, clientSecret, publicLogs = [] } = {}) => {
    const folder = mkdtempSync(join(tmpdir(), "signalbox-pages-"));
    endings.push(() => rmSync(folder, { recursive: true, force: true }));
    let now = Date.parse("2026-11-22T12:00:00Z");
    const database = await openDatabase({ url: null, folder, clock: () => now });
    endings.push(() => database.close());
    for (const [id, name] of ["shop", "hidden"].entries()) {
      const repository = {
        id: id + 1,
        installation: 7,
        owner: "acme",
        name,
        defaultBranch: "main",
        cloneUrl: "-",
        private: true,
      };
      await database.write((tx) => rememberRepository(tx, repository));
    }

    const github = await startSignInServer();
    endings.push(() => github.close());
    const probot = new Probot({ appId: 1, privateKey, logLevel: "fatal", baseUrl: `${github.url}/api/v3` });
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const said: Record<string, unknown>[] = [];
    const ending = new AbortController();
    const opened = openGitHub({ probot, apiUrl: `${github.url}/api/v3`, fetch: checkedFetch(fetch) });
    const dashboard = createDashboard({
      database,
      github: opened,
      mirrors: openMirrors(join(folder, "mirrors")),
      loadFile: (repository, ref) =>
        loadRepositoryFile((path) => readFile(opened.as(repository.installation), repository, path, ref), known),
      gitSource: ({ id, cloneUrl }) => ({ id, cloneUrl, token: async () => null }),
      settings: {
        publicUrl: publicUrl ?? url,
        appId: 1,
        contextPrefix: "signalbox",
        sandbox: "bubblewrap",
        publicLogs: publicLogs.map(repositoryPattern),
        github: { web: github.url, api: `${github.url}/api/v3` },
        dashboardAuth:
          auth === "none"
            ? { kind: "none" }
            : { kind: "github", clientId: github.client.id, clientSecret: clientSecret ?? github.client.secret },
      },
      log: pino({ level: "debug" }, { write: (line: string) => void said.push(JSON.parse(line)) }),
      clock: () => now,
      stop: ending.signal,
    });
    server.on("request", getRequestListener(dashboard.fetch, { overrideGlobalObjects: false }));
    endings.push(() => {
      server.closeAllConnections();
      server.close();
      return once(server, "close");
    });
    return {
      url,
      database,
      github,
      log: said,
      advance(by) {
        now += by;
      },
      stop: () => ending.abort(),
    };
  };
}
