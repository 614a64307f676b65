import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Load, Result } from "./ingest/load.ts";
import type { Drained } from "./ingest/signalbox-server.ts";
import type { Measure } from "./support/measure.ts";
import { serverFlags, startWorker } from "./support/process.ts";

const deliveries = 200_000;
/** Milliseconds after which it ends with what it has seen by then. */
const patience = 120_000;
/** Bytes. */
const limit = 200 * 1024 * 1024;

export const measure: Measure = {
  title: `memory of the ingest after ${deliveries} deliveries of 24 KB over 50 connections, all moved into the database`,
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "signalbox-bench-"));
    const load = await startWorker(new URL("./ingest/load.ts", import.meta.url));
    const file = new URL("./ingest/signalbox-server.ts", import.meta.url);
    const server = await startWorker(file, { BENCH_FOLDER: folder }, serverFlags);
    try {
      const seen: Drained[] = [];
      const began = performance.now();
      for (let receipts = 0; receipts < deliveries && performance.now() - began < patience; ) {
        await load.ask<Result>({ port: Number(server.ready), connections: 50, milliseconds: 2_000 } satisfies Load);
        const drained = await server.ask<Drained>({});
        seen.push(drained);
        receipts = drained.receipts;
      }
      const last = seen.at(-1);
      // What a process needs once is there after a quarter; what grows with each delivery goes on growing.
      const early = seen.find(({ receipts }) => receipts >= (last?.receipts ?? 0) / 4);
      if (last === undefined || early === undefined) throw new Error("Nothing was accepted");
      const shown = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(0)} MB`;
      const what = `after ${last.receipts} deliveries`;
      return [
        {
          what,
          value: `${shown(last.resident)}, limit ${shown(limit)}`,
          ratio: last.resident / limit,
          aim: { is: "at most", ratio: 1 },
        },
        {
          what: `${what}, against after ${early.receipts}`,
          value: `${shown(last.resident)} against ${shown(early.resident)}`,
          ratio: last.resident / early.resident,
          aim: { is: "at most", ratio: 1.15 },
        },
      ];
    } finally {
      await load.stop();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
