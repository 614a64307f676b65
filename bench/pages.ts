import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { chromiumPath, openChromium } from "../test/support/chromium.ts";
import { longLog, runs } from "./pages/fill.ts";
import { startInterrupted } from "./pages/interrupted.ts";
import { startInstantGitHub } from "./support/instant-github.ts";
import { type Figure, type Measure, median, quantile } from "./support/measure.ts";
import { startWorker, type Worker } from "./support/process.ts";
import { serverEnvironment } from "./support/server-environment.ts";

const file = `
checks: { check-0: { run: "true" } }
environments:
  staging: { trigger: merge, target: directory, with: { path: staging } }
  production: { after: staging, target: directory, with: { path: production } }
`;
const rounds = 7;
const perSecond = 5_000;
const seconds = 8;

interface Filled {
  readonly long: number;
  readonly live: number;
  readonly filled: number;
}

export const measure: Measure = {
  title: `pages with ${runs.toLocaleString("en")} runs in the database, and a log in Chromium; the peers are the limits`,
  async run() {
    const path = chromiumPath();
    if (path === null) throw new Error("Chromium is missing: apt install chromium, or set CHROMIUM");
    const folder = await mkdtemp(join(tmpdir(), "signalbox-bench-"));
    const github = await startInstantGitHub(file);
    const { env, url } = await serverEnvironment(folder, github.host);
    const server = await startWorker(new URL("./pages/server.ts", import.meta.url), env);
    const browser = await openChromium(path);
    try {
      const filled = server.ready as Filled;
      return [
        {
          what: "load of this machine",
          value: `${loadavg()
            .map((load) => load.toFixed(1))
            .join(", ")} (1, 5, 15 min)`,
        },
        ...(await serverTimes(server, url, filled)),
        ...(await firstLine(browser, `${url}/acme/shop/runs/${filled.long}`)),
        ...(await liveLines(browser, server, `${url}/acme/shop/runs/${filled.live}`)),
        ...(await interruption(browser, server, url, `/acme/shop/runs/${filled.live}`)),
      ];
    } finally {
      await browser.close();
      await server.stop();
      github.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function serverTimes(server: Worker, url: string, { long }: Filled): Promise<readonly Figure[]> {
  const limit = 50;
  const pages = {
    repositories: "/",
    environments: "/acme/shop",
    environment: "/acme/shop/environments/production",
    "pull request": "/acme/shop/pulls/1000",
    runs: "/acme/shop/runs",
    "runs that failed, of one check": "/acme/shop/runs?name=check-1&state=failed",
    "runs that were lost (none)": "/acme/shop/runs?state=lost",
    "runs, half a million back": `/acme/shop/runs?before=${runs / 2}`,
    run: `/acme/shop/runs/${long}`,
    deliveries: "/acme/shop/deliveries",
  };
  const figures: Figure[] = [];
  for (const [what, path] of Object.entries(pages)) {
    const times: number[] = [];
    // The first asks GitHub too.
    await (await fetch(`${url}${path}`)).arrayBuffer();
    const before = await server.ask<NodeJS.CpuUsage>({ cpu: true });
    for (let round = 0; round < rounds; round += 1) {
      const began = performance.now();
      const answer = await fetch(`${url}${path}`);
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
      times.push(performance.now() - began);
    }
    const after = await server.ask<NodeJS.CpuUsage>({ cpu: true });
    // What others do on this machine makes an answer late, not its work longer.
    const cpu = (after.user + after.system - before.user - before.system) / 1_000 / rounds;
    const value = `${cpu.toFixed(1)} ms of a processor, limit ${limit} ms; answered after ${median(times).toFixed(1)} ms (median)`;
    figures.push({ what: `page: ${what}`, value, ratio: cpu / limit, aim: { is: "at most", ratio: 1 } });
  }
  return figures;
}

/** When the first line stood there, in the page's own time, which begins with the navigation. */
const watchFirstLine = `new MutationObserver((_, observer) => {
  if (document.querySelector(".line") === null) return;
  observer.disconnect();
  requestAnimationFrame(() => { globalThis.firstLine = performance.now(); });
}).observe(document, { childList: true, subtree: true });`;

async function firstLine(browser: Browser, address: string): Promise<readonly Figure[]> {
  const limits = { milliseconds: 300, bytes: 40 * 1024 };
  const times: number[] = [];
  let [bytes, requests] = [0, 0];
  for (let round = 0; round < rounds; round += 1) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const network = await context.newCDPSession(page);
    [bytes, requests] = [0, 0];
    network.on("Network.loadingFinished", ({ encodedDataLength }) => {
      bytes += encodedDataLength;
      requests += 1;
    });
    await network.send("Network.enable");
    await page.addInitScript(watchFirstLine);
    await page.goto(address, { waitUntil: "networkidle" });
    times.push(await page.evaluate<number>("globalThis.firstLine"));
    await context.close();
  }
  const lines = longLog.toLocaleString("en");
  const bare = await barePage(browser);
  return [
    {
      what: `first line of ${lines}, cold cache`,
      value: `median ${median(times).toFixed(0)} ms, worst ${Math.max(...times).toFixed(0)} ms, limit ${limits.milliseconds} ms; a page of one line: ${bare.toFixed(0)} ms`,
      ratio: median(times) / limits.milliseconds,
      aim: { is: "at most", ratio: 1 },
    },
    {
      what: "transferred for it",
      value: `${(bytes / 1024).toFixed(1)} KB in ${requests} requests, limit ${limits.bytes / 1024} KB`,
      ratio: bytes / limits.bytes,
      aim: { is: "at most", ratio: 1 },
    },
  ];
}

/** The same for a page that is nothing but a line: what this browser needs on this machine now, whatever the page. */
async function barePage(browser: Browser): Promise<number> {
  const server = createServer((_, response) => response.setHeader("content-type", "text/html").end('<p class="line">a line</p>'));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(watchFirstLine);
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { waitUntil: "networkidle" });
    times.push(await page.evaluate<number>("globalThis.firstLine"));
    await context.close();
  }
  server.close();
  return median(times);
}

const watchFrames = `globalThis.frames = []; globalThis.longest = 0; let last = performance.now();
requestAnimationFrame(function frame(now) { globalThis.frames.push(now - last); last = now; requestAnimationFrame(frame); });
new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, duration); }).observe({ type: "longtask" });`;

async function liveLines(browser: Browser, server: Worker, address: string): Promise<readonly Figure[]> {
  const limits = { frame: 50, task: 200, heap: 20 };
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(address);
  await page.locator('[data-state="live"]').waitFor();
  await page.evaluate(watchFrames);
  const { written } = await server.ask<{ written: number }>({ lines: perSecond * seconds, perSecond });
  const frames = await page.evaluate<number[]>("globalThis.frames");
  const longest = await page.evaluate<number>("globalThis.longest");
  await countReaches(page, written);
  const session = await context.newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const heap = (await session.send("Runtime.getHeapUsage")).usedSize / 1024 / 1024;
  await context.close();
  const at = `live at ${perSecond.toLocaleString("en")} lines/s`;
  const frame = quantile(frames, 0.95);
  return [
    {
      what: `${at}: a frame`,
      value: `p95 ${frame.toFixed(0)} ms of ${frames.length} frames, limit ${limits.frame} ms`,
      ratio: frame / limits.frame,
      aim: { is: "at most", ratio: 1 },
    },
    {
      what: `${at}: longest task`,
      value: `${longest.toFixed(0)} ms, limit ${limits.task} ms`,
      ratio: longest / limits.task,
      aim: { is: "at most", ratio: 1 },
    },
    {
      what: `${at}: heap after it`,
      value: `${heap.toFixed(1)} MB, limit ${limits.heap} MB`,
      ratio: heap / limits.heap,
      aim: { is: "at most", ratio: 1 },
    },
  ];
}

/** Every line that came onto the page, in the order of coming. */
const watchLines = `globalThis.came = [];
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) for (const { id } of addedNodes) globalThis.came.push(Number(id.slice(1)));
}).observe(document.querySelector('[data-part="window"]'), { childList: true });`;

async function interruption(browser: Browser, server: Worker, url: string, path: string): Promise<readonly Figure[]> {
  const proxy = await startInterrupted(url);
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(`${proxy.url}${path}`);
    await page.locator('[data-state="live"]').waitFor();
    await page.evaluate(watchLines);
    const writing = server.ask<{ written: number }>({ lines: 800, perSecond: 100 });
    await delay(2_000);
    proxy.breakOff();
    await delay(2_500);
    const mended = performance.now();
    proxy.mend();
    await page.locator('[data-state="live"]').waitFor();
    const again = performance.now() - mended;
    const { written } = await writing;
    await countReaches(page, written);
    const came = await page.evaluate<number[]>("globalThis.came");
    const wrong =
      came.filter((number, at) => at > 0 && number !== (came[at - 1] ?? 0) + 1).length + (came.at(-1) === written ? 0 : 1);
    return [
      {
        what: "cut off for 2.5 s, with 502: lines lost or doubled",
        value: `${wrong} of ${came.length}; live again after ${again.toFixed(0)} ms`,
        ratio: wrong,
        aim: { is: "at most", ratio: 0 },
      },
    ];
  } finally {
    await context.close();
    proxy.close();
  }
}

async function countReaches(page: Page, lines: number): Promise<void> {
  await page.getByText(`${lines.toLocaleString("en")} lines`, { exact: true }).waitFor();
}
