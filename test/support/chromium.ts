import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** Where Debian and others put it. */
const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Opens no window, asks nobody for anything but our pages. */
const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Where Chromium is; `null` where there is none. */
export function chromiumPath(): string | null {
  return process.env.CHROMIUM ?? places.find((path) => existsSync(path)) ?? null;
}

/** Starts Chromium with a profile of its own, which goes when it is closed. */
export function openChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: flags });
}
