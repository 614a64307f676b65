import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Load, Result } from "./ingest/load.ts";
import type { Drained } from "./ingest/signalbox-server.ts";
import { type Figure, type Measure, median } from "./support/measure.ts";
import { serverFlags, startWorker, type Worker } from "./support/process.ts";

const servers = ["signalbox", "probot", "bare"] as const;
type Server = (typeof servers)[number];

const rounds = 5;

export const measure: Measure = {
  title: "signed pull_request.opened of 24 KB accepted per second; ours are durable, those of the peers are not",
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "signalbox-bench-"));
    const workers: Worker[] = [];
    const start = async (name: string) => {
      const flags = name.startsWith("signalbox") ? serverFlags : [];
      const worker = await startWorker(new URL(`./ingest/${name}.ts`, import.meta.url), { BENCH_FOLDER: folder }, flags);
      workers.push(worker);
      return worker;
    };
    try {
      const load = await start("load");
      const peers = { load } as Record<Server | "load", Worker>;
      for (const server of servers) peers[server] = await start(`${server}-server`);
      const figures: Figure[] = [];
      for (const connections of [10, 50]) figures.push(...(await compare(peers, connections)));
      return figures;
    } finally {
      for (const worker of workers) await worker.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** What was measured of one of them in one round. */
interface Measured extends Result {
  /** Of ours: in the time until all were moved into the database too. */
  readonly sustained: number;
}

/**
 * Interleaved, so that what else the machine does falls on all of them. The ratio is that of each round's neighbours. Ours has moved all that
 * it accepted before the next one is measured.
 */
async function compare(workers: Record<Server | "load", Worker>, connections: number): Promise<readonly Figure[]> {
  const results: Record<Server, Measured[]> = { signalbox: [], probot: [], bare: [] };
  const send = async (server: Server): Promise<Measured> => {
    const load: Load = { port: Number(workers[server].ready), connections, milliseconds: 1_500 };
    const began = performance.now();
    const result = await workers.load.ask<Result>(load);
    if (server === "signalbox") await workers.signalbox.ask<Drained>({});
    return { ...result, sustained: result.accepted / ((performance.now() - began) / 1_000) };
  };
  for (const server of servers) await send(server);
  for (let round = 0; round < rounds; round += 1) for (const server of servers) results[server].push(await send(server));

  const ratio = (value: (result: Measured) => number, peer: Server) =>
    median(results.signalbox.map((ours, round) => value(ours) / value(results[peer][round] ?? ours)));
  const perSecond = (result: Measured) => result.perSecond;
  const p99 = (result: Measured) => result.p99;
  const show = (value: (result: Measured) => number, unit: string) =>
    servers.map((server) => `${server} ${median(results[server].map(value)).toFixed(unit === "ms" ? 1 : 0)}`).join(", ") +
    ` ${unit}`;
  const sustained = median(results.signalbox.map((result) => result.sustained));
  const title = `${connections} connections`;
  const isMany = connections === 50;
  return [
    {
      what: `${title}, against a no-op Probot app`,
      value: show(perSecond, "per second"),
      ratio: ratio(perSecond, "probot"),
      aim: { is: "at least", ratio: 1.2 },
    },
    {
      what: `${title}, against bare node:http with HMAC`,
      value: "",
      ratio: ratio(perSecond, "bare"),
      ...(isMany ? { aim: { is: "at least", ratio: 0.8 } } : {}),
    },
    {
      what: `${title}, 99 of 100 answered within, against bare node:http`,
      value: show(p99, "ms"),
      ratio: ratio(p99, "bare"),
      ...(isMany ? { aim: { is: "at most", ratio: 2 } } : {}),
    },
    {
      what: `${title}, accepted and moved into the database, against Probot`,
      value: `signalbox ${sustained.toFixed(0)} per second`,
      ratio: ratio((result) => result.sustained, "probot"),
    },
  ];
}
