import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { chromiumPath, openChromium } from "../test/support/chromium.ts";
import { runs } from "./pages/fill.ts";
import { firstLine } from "./pages/first-line.ts";
import { interruption } from "./pages/interruption.ts";
import { liveLines } from "./pages/live-lines.ts";
import { serverTimes } from "./pages/server-times.ts";
import { startInstantGitHub } from "./support/instant-github.ts";
import type { Measure } from "./support/measure.ts";
import { serverFlags, startWorker } from "./support/process.ts";
import { serverEnvironment } from "./support/server-environment.ts";

const file = `
checks: { check-0: { run: "true" } }
environments:
  staging: { trigger: merge, target: directory, with: { path: staging } }
  production: { after: staging, target: directory, with: { path: production } }
`;

interface Filled {
  readonly long: number;
  readonly live: number;
}

export const measure: Measure = {
  title: `pages with ${runs.toLocaleString("en")} runs in the database, and a log in Chromium; the peers are the limits`,
  async run() {
    const path = chromiumPath();
    if (path === null) throw new Error("Chromium is missing: apt install chromium, or set CHROMIUM");
    const folder = await mkdtemp(join(tmpdir(), "signalbox-bench-"));
    const github = await startInstantGitHub(file);
    const { env, url } = await serverEnvironment(folder, github.host);
    const server = await startWorker(new URL("./pages/server.ts", import.meta.url), env, serverFlags);
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
        ...(await serverTimes(server, url, filled.long)),
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
