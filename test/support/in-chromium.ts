import { afterAll, afterEach, describe, it } from "@jest/globals";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { chromiumPath, openChromium } from "./chromium.ts";

/**
 * For suites that look at pages in a real browser: `withChromium("the run page", (open) => …)`. Where Chromium is missing they are skipped, and
 * say so. Every page fails its test when the browser reports an error or a violation of the content security policy.
 */
export function withChromium(name: string, suite: (open: OpenPage) => void): void {
  const path = chromiumPath();
  if (path === null) {
    describe.skip(`${name}: skipped, because Chromium is missing (apt install chromium, or set CHROMIUM)`, () =>
      it("runs in a real browser", () => {}));
    return;
  }
  describe(name, () => suite(useChromium(path)));
}

export type OpenPage = (options?: BrowserContextOptions) => Promise<Page>;

function useChromium(path: string): OpenPage {
  const closers: (() => Promise<void>)[] = [];
  const complaints: string[] = [];
  let shared: Promise<Browser> | null = null;
  afterAll(async () => (await shared)?.close());
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
    const [first] = complaints.splice(0);
    if (first !== undefined) throw new Error(`The browser complains: ${first}`);
  });
  return async (options = {}) => {
    shared ??= openChromium(path);
    const context = await (await shared).newContext(options);
    closers.push(() => context.close());
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      const text = message.text();
      // What a test breaks on purpose (a server that is stopped, a right that is gone) the browser reports too.
      if (message.type() === "error" && !/Failed to load resource|net::ERR/.test(text)) complaints.push(text);
    });
    return page;
  };
}
