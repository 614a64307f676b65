import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import type { Logger } from "pino";
import type { Probot } from "probot";
import { app, eventsOf } from "./app.ts";
import { executeCheck } from "./checks/execute.ts";
import { mayStartCheck } from "./checks/trust.ts";
import { type Database, openDatabase } from "./database/connection.ts";
import { openArtefacts } from "./deployments/artefacts.ts";
import { startDispatcher } from "./deployments/dispatcher.ts";
import { executeDeployment } from "./deployments/execute.ts";
import { mayStart } from "./deployments/reconsider.ts";
import { createCallbacks } from "./doors/callbacks.ts";
import { createDashboard } from "./doors/dashboard/routes.ts";
import type { Doors } from "./doors/http.ts";
import { allowList, type IsAllowed } from "./doors/webhooks/allowed.ts";
import { catchUp } from "./doors/webhooks/catch-up.ts";
import { receivingFromProbot, type VerifiedEvent } from "./doors/webhooks/from-probot.ts";
import { type InboxEvent, startInbox } from "./doors/webhooks/inbox.ts";
import { createIngest } from "./doors/webhooks/ingest.ts";
import { openReceiving } from "./doors/webhooks/receiving.ts";
import { startRecovery, windows } from "./doors/webhooks/recovery.ts";
import { openGitHub } from "./github/github.ts";
import { sharedTurns } from "./github/shared-turns.ts";
import { type Targets, targetsWith } from "./known.ts";
import { freeCandidates, startMerger } from "./merging/merger.ts";
import { createMetrics } from "./metrics/door.ts";
import { countRequests } from "./metrics/requests.ts";
import { freeChats, startChats } from "./notifying/chats.ts";
import { refuseInner } from "./outbound/fetch.ts";
import { createProbot } from "./probot.ts";
import { openCaches } from "./process/cache.ts";
import { openMirrors } from "./process/checkout.ts";
import { findImageEngine } from "./process/image-engine.ts";
import { type Images, openImages } from "./process/images.ts";
import { endOrphans, markedBy } from "./process/orphans.ts";
import { probeSandbox, type Sandbox } from "./process/sandbox.ts";
import { openWorkspaces } from "./process/workspace.ts";
import { freeReports } from "./reporting/hold.ts";
import { startReporter } from "./reporting/reporter.ts";
import { runners } from "./runners/index.ts";
import { problemWithReport as problemWithCheckReport } from "./runners/webhook/report.ts";
import { reap } from "./runs/queue.ts";
import { startRetention } from "./runs/retention.ts";
import { startWorker } from "./runs/worker.ts";
import { openSecretKey } from "./secrets/key.ts";
import { createServices } from "./services.ts";
import type { Settings } from "./settings.ts";
import { problemWithReport as problemWithDeploymentReport } from "./targets/webhook/report.ts";
import { startTracer } from "./tracing/tracer.ts";

export interface SignalboxOptions {
  readonly settings: Settings;
  readonly log: Logger;
  /** In place of Node's own, for requests to GitHub's API; tests check each with it. */
  readonly fetch?: typeof globalThis.fetch;
}

/** Everything behind the port. */
export interface Signalbox {
  readonly doors: Doors;
  readonly database: Database;
  /** `null` in a process that runs nothing. */
  readonly sandbox: Sandbox["kind"] | null;
  /** Takes an event that came in by another door than ours; it is durable when this resolves. */
  receive(event: VerifiedEvent): Promise<void>;
  /** Resolves when receipts, decisions and reports have nothing left to do now. Runs that work are not waited for. */
  settled(): Promise<void>;
  /** Takes nothing new, ends or puts back what is under way, and closes everything, within 25 seconds. */
  stop(): Promise<void>;
}

const reportProblems = { check: problemWithCheckReport, deployment: problemWithDeploymentReport };

/** What running deployments get to end by themselves when the server stops, in milliseconds. */
const patience = 20_000;

/** Opens everything in the order in which it leans on each other; `stop` closes it in reverse. Rejects with a sentence for the operator. */
export async function openSignalbox(options: SignalboxOptions): Promise<Signalbox> {
  const targets = await targetsWith(options.settings.plugins);
  const sandbox = options.settings.role === "web" ? null : await findSandbox(options.settings, options.log);
  const { dataDir: folder, databaseUrl: url } = options.settings;
  const database = await openDatabase({ url, folder, exclusive: true });
  const closers: (() => Promise<void>)[] = [() => database.close()];
  const stop = async () => {
    for (const close of closers.splice(0).toReversed()) await close();
  };
  try {
    return {
      ...(await openParts(options, { sandbox, targets }, database, closers)),
      database,
      sandbox: sandbox?.kind ?? null,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openParts(
  { settings, log, fetch: given = globalThis.fetch }: SignalboxOptions,
  { sandbox, targets }: { readonly sandbox: Sandbox | null; readonly targets: Targets },
  database: Database,
  closers: (() => Promise<void>)[],
) {
  // Only the holder of the data directory's lock gets here: whatever carries its mark belongs to a dead server.
  const mark = createHash("sha256").update(settings.dataDir).digest("hex").slice(0, 16);
  await cleanUp(database, mark, log);

  const requests = countRequests(given);
  const { fetch } = requests;
  const probot = createProbot({ settings, log, fetch });
  const github = openGitHub({
    probot,
    apiUrl: settings.github.api,
    ...(database.engine === "postgres" ? { turns: sharedTurns(database) } : {}),
    fetch,
  });
  const mirrors = openMirrors(join(settings.dataDir, "mirrors"));
  closers.push(() => mirrors.stop());
  const workspaces = openWorkspaces(mirrors, join(settings.dataDir, "work"));
  await workspaces.clear();
  const services = createServices({
    settings,
    log,
    database,
    github,
    mirrors,
    key: openSecretKey(settings.secretKey, settings.dataDir),
    targets,
  });
  const register = app(services);
  await probot.load(async () => register(probot));

  const tracer = settings.traces === null ? null : startTracer({ ...settings.traces, database, log });
  if (tracer !== null) closers.push(() => tracer.stop());
  const { publicUrl, contextPrefix, showChecksAs, appId } = settings;
  const reporter = startReporter({ database, github, publicUrl, contextPrefix, showChecksAs, appId, log, ...tracer?.hooks });
  closers.push(() => reporter.stop());
  const merger = settings.role === "web" ? null : startMerger(services);
  if (merger !== null) closers.push(() => merger.stop());
  const chats = startChats(services);
  closers.push(() => chats.stop());
  const dispatcher = settings.role === "web" ? null : startDispatcher(services);
  if (dispatcher !== null) closers.push(() => dispatcher.stop());
  if (settings.role !== "web") {
    const retention = startRetention(services);
    closers.push(() => retention.stop());
  }
  if (sandbox !== null) {
    const caches = openCaches(join(settings.dataDir, "caches"));
    const artefacts = openArtefacts(join(settings.dataDir, "artefacts"));
    const images = await openImageStore(settings, sandbox, mark);
    const { toolsPaths } = settings;
    const stores = { workspaces, caches, artefacts, images };
    const means = { ...services, ...stores, runners, targets, sandbox, mark: markedBy(mark), toolsPaths };
    const worker = startWorker({
      database,
      owner: randomUUID(),
      concurrency: settings.concurrency,
      executors: { check: (run, io) => executeCheck(means, run, io), deployment: (run, io) => executeDeployment(means, run, io) },
      mayStart: (tx, run) => (run.kind === "check" ? mayStartCheck(tx, run, settings.sandbox) : mayStart(tx, run)),
      logLimit: settings.maxLogSize,
      log,
      ...tracer?.hooks,
    });
    closers.push(() => worker.stop(patience));
  }
  const isServing = settings.role !== "worker";
  const listensTo = eventsOf(register);
  const receiving = await openReceiving({ database, folder: settings.dataDir, listensTo, log });
  closers.push(() => receiving.stop());
  // Last to be opened and so first to be closed: an open live page would keep the server from stopping.
  const closing = new AbortController();
  const inbox = isServing
    ? startInbox({
        database,
        receive: receiveWith(probot, allowList(settings.allowedRepositories, github, log), log),
        log,
        ...tracer?.hooks,
      })
    : null;
  if (inbox !== null) closers.push(() => inbox.stop());
  const receive = receivingFromProbot(receiving);
  const window = settings.github.api.endsWith("/api/v3") ? windows.enterpriseServer : windows.gitHub;
  const recovery = isServing
    ? startRecovery({ ...services, window, catchUp: (stopping) => catchUp({ ...services, receive, window }, stopping) })
    : null;
  if (recovery !== null) closers.push(() => recovery.stop());
  closers.push(async () => closing.abort());
  const doors: Doors = {
    ingest: isServing ? createIngest({ receiving, secrets: settings.webhookSecrets, listensTo, log }) : null,
    callbacks: isServing ? getRequestListener(createCallbacks({ ...services, problems: reportProblems })) : null,
    pages: isServing ? getRequestListener(createDashboard({ ...services, stop: closing.signal }).fetch) : null,
    unready: async () => receiving.broken() ?? (await unready(database)),
    metrics: createMetrics({ database, requests, token: settings.metricsToken, log }),
  };
  const settled = async () => {
    await recovery?.settled();
    await receiving.settled();
    await inbox?.idle();
    await dispatcher?.settled();
    await reporter.settled();
    await chats.settled();
    await merger?.settled();
  };
  return { doors, settled, receive };
}

/** Never silently without: a server that cannot isolate does not start unless it was told to do without. */
async function findSandbox(settings: Settings, log: Logger): Promise<Sandbox> {
  if (settings.sandbox === "none") {
    log.warn(
      "SANDBOX=none: checks can read and change whatever this server's user can; never let others open pull requests here",
    );
    return { kind: "none" };
  }
  const probe = await probeSandbox();
  if (!probe.works) throw new Error(`SANDBOX: ${probe.problem} ${probe.fix}`);
  return probe.sandbox;
}

async function openImageStore({ dataDir, outboundAllow }: Settings, sandbox: Sandbox, mark: string): Promise<Images> {
  const images = openImages({
    findEngine: () => findImageEngine(mark),
    sandbox,
    folder: join(dataDir, "images"),
    mark: markedBy(mark),
    mayPull: (registry, stop) => refuseInner(`https://${registry}`, { allow: outboundAllow }, stop),
  });
  await images.clear();
  return images;
}

/** Ends and takes back what a dead server left. On PostgreSQL others may be alive, so there the leases decide. */
async function cleanUp(database: Database, mark: string, log: Logger): Promise<void> {
  const processes = await endOrphans(mark);
  if (processes > 0) log.warn({ processes }, "ended what a dead server had left running");
  if (database.engine !== "sqlite") return;
  const runs = await database.write((tx) => reap(tx, "all"));
  if (runs > 0) log.warn({ runs }, "took back what a dead server had been running");
  await freeReports(database);
  await freeChats(database);
  await freeCandidates(database);
}

/** Hands what the inbox takes out to Probot's handlers; of repositories that are not allowed nothing comes through. */
function receiveWith(probot: Probot, isAllowed: IsAllowed, log: Logger): (event: InboxEvent) => Promise<void> {
  return async ({ id, name, payload }) => {
    if (!("installation" in payload)) {
      log.warn(
        { receipt: id, event: name },
        "ignored an event without an installation: the webhook belongs to a repository, not to the App",
      );
      return;
    }
    const fullName = fullNameOf(payload);
    if (fullName !== null && !(await isAllowed(fullName))) return;
    // Only events that somebody listens to are kept, so the name is one that Probot knows.
    await probot.receive({ id, name, payload } as Parameters<Probot["receive"]>[0]);
  };
}

function fullNameOf(payload: object): string | null {
  if (!("repository" in payload) || typeof payload.repository !== "object" || payload.repository === null) return null;
  return "full_name" in payload.repository && typeof payload.repository.full_name === "string"
    ? payload.repository.full_name
    : null;
}

async function unready(database: Database): Promise<string | null> {
  try {
    await database.read((db) => db.selectFrom("receipt").select("id").limit(1).execute());
    return null;
  } catch {
    return "the database does not answer";
  }
}
