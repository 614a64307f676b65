import { spawn } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { constants, setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type GitHubStandIn, startGitHub } from "../demo/github/github.ts";
import type { Repository } from "../demo/github/repository.ts";
import { probeSandbox } from "../src/process/sandbox.ts";
import { type Figure, type Measure, median, quantile } from "./support/measure.ts";
import { serverFlags } from "./support/process.ts";
import { serverEnvironment } from "./support/server-environment.ts";

const limit = 100;
const rounds = 7;
const targets = {
  // In the sandbox, with network.
  command: `command, with: { run: 'date +%s%N >>"$SIGNALBOX_SITES/began"' }`,
  directory: "directory, with: { path: live }",
} as const;
type Target = keyof typeof targets;

export const measure: Measure = {
  title: "from the webhook of a merge to the first byte of the target's work, without GitHub's own time",
  async run() {
    const folder = await mkdtemp(join(tmpdir(), "signalbox-bench-"));
    const github = await startGitHub();
    const { env, url } = await serverEnvironment(folder, github.host);
    const sandbox = (await probeSandbox()).works ? "bubblewrap" : "none";
    const app = { APP_ID: String(github.app.id), PRIVATE_KEY: github.app.privateKey, WEBHOOK_SECRET: github.app.webhookSecret };
    const child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", ...serverFlags, join(import.meta.dirname, "../src/main.ts")],
      {
        env: { ...env, ...app, SANDBOX: sandbox },
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
    // GitHub has machines of its own: here it gives way to what is measured.
    setPriority(constants.priority.PRIORITY_LOW);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const hooks = await forwardHooks(url);
    const gitHubsTime = watchRequests(github);
    try {
      while ((await fetch(`${url}/readyz`).catch(() => null))?.ok !== true) {
        if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}`);
        await delay(20);
      }
      github.webhooksTo(hooks.url);
      const figures: Figure[] = [];
      for (const target of ["command", "directory"] as const) {
        const times: number[] = [];
        for (let round = 0; round < rounds; round += 1) {
          // An installation of its own: the pace at which GitHub lets one be written to is not what is measured here.
          const owner = `acme-${target}-${round}`;
          const shop = await github.repository({ owner, name: "shop", files: { ".github/signalbox.yml": fileFor(target) } });
          const site = join(folder, "sites", owner, "shop");
          // The first fetches the whole repository, and mints a token.
          for (const merge of ["first", "second"]) {
            const merged = await mergeOne(shop, merge);
            const start = await hooks.merged();
            const end = await firstByte[target](site, merge === "first" ? 1 : 2);
            if (merge === "second") times.push(end - start - gitHubsTime.between(start, end));
            await isLive(shop, merged);
            await github.idle();
          }
        }
        const value = `median ${median(times).toFixed(0)} ms, p95 ${quantile(times, 0.95).toFixed(0)} ms, limit ${limit} ms`;
        figures.push({ what: saidOf[target](sandbox), value, ratio: median(times) / limit, aim: { is: "at most", ratio: 1 } });
      }
      return figures;
    } finally {
      child.kill("SIGTERM");
      await ended;
      gitHubsTime.end();
      hooks.close();
      await github.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function mergeOne(shop: Repository, head: string): Promise<string> {
  await shop.commit({ branch: head, from: "main", files: { change: `${head}\n` }, message: head, author: "mira" });
  const number = await shop.openPullRequest({ title: head, head, author: "mira" });
  // It has been open for a while when it is merged: what follows from that is over.
  await delay(1_000);
  return shop.merge(number, { by: "mira" });
}

/** Milliseconds since 1970, with fractions, as `date` and this process read the same clock. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** When a deployment's work began, in milliseconds since 1970: the `count`th of this site. */
const firstByte: Readonly<Record<Target, (site: string, count: number) => Promise<number>>> = {
  async command(site, count) {
    const lines = (await readFile(join(site, "began"), "utf8").catch(() => "")).split("\n").filter(Boolean);
    if (lines.length >= count) return Number(lines[count - 1]) / 1e6;
    await delay(5);
    return firstByte.command(site, count);
  },
  async directory(site, count) {
    const releases = join(site, "live", "releases");
    const found = await Promise.all((await readdir(releases).catch(() => [])).map(async (name) => stat(join(releases, name))));
    if (found.length >= count) return Math.max(...found.map(({ birthtimeMs }) => birthtimeMs));
    await delay(5);
    return firstByte.directory(site, count);
  },
};

const saidOf: Readonly<Record<Target, (sandbox: string) => string>> = {
  command: (sandbox) => `merge to the first byte of "command", sandbox ${sandbox}`,
  directory: () => 'merge to the first byte of "directory"',
};

function fileFor(target: Target): string {
  return `environments:\n  live: { trigger: merge, require_checks: none, target: ${targets[target]} }\n`;
}

async function isLive(shop: Repository, sha: string): Promise<void> {
  while (
    shop
      .deployments()
      .find((one) => one.sha === sha)
      ?.statuses.at(-1)?.state !== "success"
  )
    await delay(10);
}

/** Passes webhooks on, and tells when a merge's was. */
async function forwardHooks(url: string) {
  let waiting = Promise.withResolvers<number>();
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const body = Buffer.concat(pieces);
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => /^(x-|content-type$)/.test(name)));
    if (headers["x-github-event"] === "pull_request" && JSON.parse(body.toString()).action === "closed") waiting.resolve(now());
    const answer = await fetch(`${url}${request.url}`, { method: "POST", headers: headers as Record<string, string>, body });
    response.writeHead(answer.status).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/github/webhooks`,
    async merged(): Promise<number> {
      const at = await waiting.promise;
      waiting = Promise.withResolvers();
      return at;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** When the stand-in was answering: each of its requests, of the API and of git. */
function watchRequests({ host }: GitHubStandIn) {
  const open = new Map<unknown, number>();
  const intervals: { readonly from: number; readonly to: number }[] = [];
  const onStart = (message: unknown) => {
    const { request } = message as { request: { headers: { host?: string } } };
    if (request.headers.host === host) open.set(request, now());
  };
  const onFinish = (message: unknown) => {
    const { request } = message as { request: unknown };
    const from = open.get(request);
    if (from !== undefined) intervals.push({ from, to: now() });
    open.delete(request);
  };
  subscribe("http.server.request.start", onStart);
  subscribe("http.server.response.finish", onFinish);
  return {
    /** How long at least one was being answered, in milliseconds. */
    between(start: number, end: number): number {
      let covered = start;
      let sum = 0;
      for (const { from, to } of intervals.toSorted((one, other) => one.from - other.from)) {
        const [begin, stop] = [Math.max(from, covered), Math.min(to, end)];
        if (stop > begin) sum += stop - begin;
        covered = Math.max(covered, stop);
      }
      return sum;
    },
    end() {
      unsubscribe("http.server.request.start", onStart);
      unsubscribe("http.server.response.finish", onFinish);
    },
  };
}
