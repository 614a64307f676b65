import { createHmac, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll } from "@jest/globals";
import { pino } from "pino";
import { type GitHubOptions, type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
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
  /** Stops the server and starts it again on the same data, with other settings if some are given. */
  restart(env?: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
  /** Everything that was said so far, one parsed line each. */
  readonly log: readonly Record<string, unknown>[];
}

export interface JourneyOptions {
  readonly github?: GitHubOptions;
  readonly env?: Readonly<Record<string, string>>;
}

/** What this machine allows: what a server in a test says for SANDBOX. */
export const sandbox = probeSandbox().then((probe) => (probe.works ? "bubblewrap" : "none"));

/** Starts stories and ends them after each test, whatever became of them. */
export function useJourneys(): { start(options?: JourneyOptions): Promise<Journey> } {
  const endings: (() => Promise<void>)[] = [];
  afterEach(() => endAll(endings));
  return { start: (options = {}) => open(options, endings) };
}

/** One server for all the tests of a file. */
export interface SharedJourney extends Omit<Journey, "restart" | "stop"> {
  /** A repository of an owner of its own, so that no story waits for another's pace at GitHub; mira may write, jonas maintains it. */
  repository(files: Readonly<Record<string, string>>): Promise<Repository>;
}

export function useSharedJourney(options: JourneyOptions = {}): SharedJourney {
  const endings: (() => Promise<void>)[] = [];
  let opened: Journey | null = null;
  let owners = 0;
  beforeAll(async () => {
    opened = await open(options, endings);
  });
  // What a test that failed still holds would keep the others waiting.
  afterEach(async () => {
    for (const run of await heldNow(journey().folder)) await writeFile(join(run, "go"), "").catch(() => {});
  });
  afterAll(() => endAll(endings));
  const journey = () => {
    if (opened === null) throw new Error("the story begins with the first test");
    return opened;
  };
  return {
    get github() {
      return journey().github;
    },
    get folder() {
      return journey().folder;
    },
    get server() {
      return journey().server;
    },
    get log() {
      return journey().log;
    },
    repository(files) {
      owners += 1;
      return journey().github.repository({
        owner: `acme-${owners}`,
        name: "shop",
        files,
        permissions: { mira: "write", jonas: "maintain" },
      });
    },
  };
}

async function open(options: JourneyOptions, endings: (() => Promise<void>)[]): Promise<Journey> {
  const folder = await mkdtemp(join(tmpdir(), "signalbox-journey-"));
  endings.push(() => rm(folder, { recursive: true, force: true }));
  const github = await startGitHub(options.github);
  endings.push(() => github.close());
  const journey = await startJourney(github, folder, options);
  endings.push(() => journey.stop());
  return journey;
}

async function endAll(endings: (() => Promise<void>)[]): Promise<void> {
  for (const end of endings.splice(0).toReversed()) await end();
}

async function startJourney(github: GitHubStandIn, folder: string, { env = {} }: JourneyOptions): Promise<Journey> {
  const usual = { DATA_DIR: folder, SANDBOX: await sandbox, ...env };
  const said: Record<string, unknown>[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void said.push(JSON.parse(line)) });
  const begin = async (more: Readonly<Record<string, string>> = {}) => {
    const settings = settingsFor(github, { ...usual, ...more });
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
    async restart(more) {
      await stop();
      server = await begin(more);
    },
  };
}

/** The settings of a server that obeys the stand-in. */
export function settingsFor(github: GitHubStandIn, env: Readonly<Record<string, string>>): Settings {
  const read = readSettings(environmentFor(github, env), { read: () => "" });
  if (read.kind !== "settings") throw new Error(`The settings of a test are wrong: ${JSON.stringify(read)}`);
  return read.settings;
}

/** The same, as environment variables. */
export function environmentFor(
  github: Pick<GitHubStandIn, "app" | "host">,
  env: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return {
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
    ALLOWED_REPOSITORIES: "acme/*,acme-*/*",
    CONCURRENCY: "2",
    ...env,
  };
}

/** Waits until a context shows this state, and gives it. */
export async function statusBecomes(repository: Pick<Repository, "statuses">, sha: string, context: string, state: string) {
  return until(`${context} is ${state}`, () =>
    repository.statuses(sha).find((status) => status.context === context && status.state === state),
  );
}

/** Waits until the newest deployment to an environment, of that commit if one is named, shows this state, and gives it. */
export async function deploymentBecomes(
  repository: Pick<Repository, "deployments">,
  environment: string,
  state: string,
  sha?: string,
) {
  return until(`${environment} is ${state}`, () => {
    const newest = repository.deployments().findLast((one) => one.environment === environment && (sha ?? one.sha) === one.sha);
    return newest?.statuses.at(-1)?.state === state ? newest : null;
  });
}

/** Waits until the newest status of a deployment to an environment says this. */
export async function deploymentSays(repository: Pick<Repository, "deployments">, environment: string, description: string) {
  return until(`${environment} says "${description}"`, () =>
    repository.deployments().find((one) => one.environment === environment && one.statuses.at(-1)?.description === description),
  );
}

/** Waits until everything that GitHub told so far was handled, and what follows from it was said; runs may still work. */
export async function handled({ github, server }: Pick<Journey, "github" | "server">): Promise<void> {
  await github.idle();
  await server.settled();
}

/** Waits until nothing is on its way any more: no webhook, no decision, no report, no run that could start or works. */
export async function calm({ github, server }: Pick<Journey, "github" | "server">): Promise<void> {
  await until(
    "everything is calm",
    async () => {
      const before = github.requests.length + github.deliveries().length;
      await handled({ github, server });
      const busy = await server.database.read((db) =>
        db.selectFrom("run").select("id").where("state", "in", ["queued", "running"]).limit(1).executeTakeFirst(),
      );
      return busy === undefined && github.requests.length + github.deliveries().length === before;
    },
    20_000,
    // Each look asks the database a dozen questions, which the work that is waited for would have to share its processor with.
    50,
  );
}

/** A command that goes on when `letGo` says so. */
export const held = "touch started; until [ -e go ]; do sleep 0.02; done";

/** Waits until a held command of a server works, and gives the folders of all that do. */
export async function heldCommand(folder: string, within = 60_000): Promise<readonly string[]> {
  return until("a held command works", async () => orNull(await heldNow(folder)), within);
}

/** Waits until a held command works, and lets all that do go on. */
export async function letGo(folder: string): Promise<void> {
  for (const run of await heldCommand(folder)) await writeFile(join(run, "go"), "");
}

async function heldNow(folder: string): Promise<readonly string[]> {
  const work = join(folder, "work");
  const runs = (await readdir(work).catch(() => [])).map((run) => join(work, run, "workspace"));
  return runs.filter((run) => existsSync(join(run, "started")) && !existsSync(join(run, "go")));
}

function orNull<T>(values: readonly T[]): readonly T[] | null {
  return values.length === 0 ? null : values;
}

/** Sends a webhook of our own making, signed as GitHub does. */
export async function deliver(
  { github, server }: Pick<Journey, "github" | "server">,
  event: string,
  payload: object,
  guid: string = randomUUID(),
): Promise<void> {
  const body = JSON.stringify(payload);
  const signature = createHmac("sha256", github.app.webhookSecret).update(body).digest("hex");
  const headers = {
    "content-type": "application/json",
    "x-github-event": event,
    "x-github-delivery": guid,
    "x-hub-signature-256": `sha256=${signature}`,
  };
  const answer = await fetch(`${server.url}${webhookPath}`, { method: "POST", headers, body });
  if (answer.status !== 202) throw new Error(`the webhook was answered with ${answer.status}: ${await answer.text()}`);
}
