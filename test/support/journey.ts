import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "@jest/globals";
import { pino } from "pino";
import { type GitHubOptions, type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import { webhookPath } from "../../src/doors/http.ts";
import { probeSandbox } from "../../src/process/sandbox.ts";
import { type Server, startServer } from "../../src/server.ts";
import { readSettings, type Settings } from "../../src/settings.ts";
import { checkedFetch } from "./github-contract.ts";
import { until } from "./until.ts";

/** A whole story: our server, with real git, processes and database, against the stand-in for GitHub. */
export interface Journey {
  readonly github: GitHubStandIn;
  /** The data directory. */
  readonly folder: string;
  readonly server: Server;
  /** Stops the server and starts it again on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** Everything that was said so far, one parsed line each. */
  readonly log: readonly Record<string, unknown>[];
}

export interface JourneyOptions {
  readonly github?: GitHubOptions;
  readonly env?: Readonly<Record<string, string>>;
}

const sandbox = probeSandbox().then((probe) => (probe.works ? "bubblewrap" : "none"));

/** Starts stories and ends them after each test, whatever became of them. */
export function useJourneys(): { start(options?: JourneyOptions): Promise<Journey> } {
  const endings: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0).toReversed()) await end();
  });
  return {
    async start(options = {}) {
      const folder = await mkdtemp(join(tmpdir(), "signalbox-journey-"));
      endings.push(() => rm(folder, { recursive: true, force: true }));
      const github = await startGitHub(options.github);
      endings.push(() => github.close());
      const journey = await startJourney(github, folder, options);
      endings.push(() => journey.stop());
      return journey;
    },
  };
}

async function startJourney(github: GitHubStandIn, folder: string, { env = {} }: JourneyOptions): Promise<Journey> {
  const settings = settingsFor(github, { DATA_DIR: folder, SANDBOX: await sandbox, ...env });
  const said: Record<string, unknown>[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void said.push(JSON.parse(line)) });
  const begin = async () => {
    const server = await startServer({ settings, log, fetch: checkedFetch(fetch) });
    github.webhooksTo(`${server.url}${webhookPath}`);
    return server;
  };
  let server: Server | null = await begin();
  const stop = async () => {
    await server?.stop();
    server = null;
  };
  return {
    github,
    folder,
    log: said,
    get server() {
      if (server === null) throw new Error("the server of this story was stopped");
      return server;
    },
    stop,
    async restart() {
      await stop();
      server = await begin();
    },
  };
}

/** The settings of a server that obeys the stand-in. */
export function settingsFor(github: GitHubStandIn, env: Readonly<Record<string, string>>): Settings {
  const read = readSettings(
    {
      APP_ID: String(github.app.id),
      PRIVATE_KEY: github.app.privateKey,
      WEBHOOK_SECRET: github.app.webhookSecret,
      GITHUB_CLIENT_ID: github.app.clientId,
      GITHUB_CLIENT_SECRET: github.app.clientSecret,
      GHE_HOST: github.host,
      GHE_PROTOCOL: "http",
      HOST: "127.0.0.1",
      PORT: "0",
      PUBLIC_URL: "http://127.0.0.1:3000",
      DASHBOARD_AUTH: "none",
      ALLOWED_REPOSITORIES: "acme/*",
      CONCURRENCY: "2",
      ...env,
    },
    { read: () => "" },
  );
  if (read.kind !== "settings") throw new Error(`The settings of a test are wrong: ${JSON.stringify(read)}`);
  return read.settings;
}

/** Waits until a context shows this state, and gives its description. */
export async function statusBecomes(
  repository: { statuses(sha: string): readonly { context: string; state: string; description: string | null }[] },
  sha: string,
  context: string,
  state: string,
) {
  return until(
    `${context} is ${state}`,
    () => repository.statuses(sha).find((status) => status.context === context && status.state === state),
    20_000,
  );
}
