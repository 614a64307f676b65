import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { type Figure, median } from "../support/measure.ts";
import { longLog } from "./fill.ts";

const rounds = 7;
/** With each new window Chromium loads the pages of its own menus, in milliseconds; people's windows are open when they come to us. */
const settling = 1_500;

/** When the first line stood there, in the page's own time, which begins with the navigation. */
const watchFirstLine = `new MutationObserver((_, observer) => {
  if (document.querySelector(".line") === null) return;
  observer.disconnect();
  requestAnimationFrame(() => { globalThis.firstLine = performance.now(); });
}).observe(document, { childList: true, subtree: true });`;

/** When the first line of a long log is to be seen, in a browser that has nothing of ours. */
export async function firstLine(browser: Browser, address: string): Promise<readonly Figure[]> {
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
    await delay(settling);
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
    await delay(settling);
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { waitUntil: "networkidle" });
    times.push(await page.evaluate<number>("globalThis.firstLine"));
    await context.close();
  }
  server.close();
  return median(times);
}
