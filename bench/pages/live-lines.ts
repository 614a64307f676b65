import type { Browser } from "playwright-core";
import { type Figure, quantile } from "../support/measure.ts";
import type { Worker } from "../support/process.ts";
import { countReaches } from "./count-reaches.ts";

const perSecond = 5_000;
const seconds = 8;

const watchFrames = `globalThis.frames = []; globalThis.longest = 0; let last = performance.now();
requestAnimationFrame(function frame(now) { globalThis.frames.push(now - last); last = now; requestAnimationFrame(frame); });
new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, duration); }).observe({ type: "longtask" });`;

/** How smooth a page is onto which many lines come. */
export async function liveLines(browser: Browser, server: Worker, address: string): Promise<readonly Figure[]> {
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
