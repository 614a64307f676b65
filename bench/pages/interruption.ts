import { setTimeout as delay } from "node:timers/promises";
import type { Browser } from "playwright-core";
import type { Figure } from "../support/measure.ts";
import type { Worker } from "../support/process.ts";
import { countReaches } from "./count-reaches.ts";
import { startInterrupted } from "./interrupted.ts";

/** Every line that came onto the page, in the order of coming. */
const watchLines = `globalThis.came = [];
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) for (const { id } of addedNodes) globalThis.came.push(Number(id.slice(1)));
}).observe(document.querySelector('[data-part="window"]'), { childList: true });`;

/** Whether a page that is cut off for a while has every line once. */
export async function interruption(browser: Browser, server: Worker, url: string, path: string): Promise<readonly Figure[]> {
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
