import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Answered } from "./output/worker.ts";
import type { Measure } from "./support/measure.ts";
import { serverFlags, startWorker } from "./support/process.ts";

const megabytes = 500;
const limits = { growth: 60, speed: 50 };
const line = "2026-11-27T12:00:00.000Z  ok  test/shop/cart.test.ts > adds a lantern to the cart (12 ms)";

export const measure: Measure = {
  title: `${megabytes} MB of output through a run, in the sandbox, with a secret to look for, into the log of SQLite`,
  async run() {
    const folder = await mkdtemp(join(tmpdir(), "signalbox-bench-"));
    const worker = await startWorker(new URL("output/worker.ts", import.meta.url), { FOLDER: folder }, serverFlags);
    try {
      // Once over what every run needs, so that what grows is the output's.
      await worker.ask<Answered>({ command: `yes '${line}' | head -c 5000000` });
      const { milliseconds, growth, outcome } = await worker.ask<Answered>({
        command: `yes '${line}' | head -c ${megabytes * 1_000_000}`,
      });
      if (outcome !== "passed") throw new Error(`The run ended as ${outcome}`);
      const speed = (megabytes / milliseconds) * 1_000;
      return [
        {
          what: "growth of memory, at its highest",
          value: `${(growth / 1_000_000).toFixed(0)} MB`,
          ratio: growth / 1_000_000 / limits.growth,
          aim: { is: "at most", ratio: 1 },
        },
        {
          what: "output per second",
          value: `${speed.toFixed(0)} MB`,
          ratio: speed / limits.speed,
          aim: { is: "at least", ratio: 1 },
        },
      ];
    } finally {
      await worker.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
