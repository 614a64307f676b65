import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Load, Result } from "./ingest/load.ts";
import { type Figure, type Measure, median } from "./support/measure.ts";
import { startWorker, type Worker } from "./support/process.ts";

const servers = ["signalbox", "probot", "bare"] as const;
type Server = (typeof servers)[number];

const rounds = 5;

export const measure: Measure = {
  title: "signed pull_request.opened of 24 KB accepted per second; ours are durable, those of the peers are not",
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "signalbox-bench-"));
    const workers: Worker[] = [];
    const start = async (name: string) => {
      const worker = await startWorker(new URL(`./ingest/${name}.ts`, import.meta.url), { BENCH_FOLDER: folder });
      workers.push(worker);
      return worker;
    };
    try {
      const load = await start("load");
      const ports = {} as Record<Server, number>;
      for (const server of servers) ports[server] = Number((await start(`${server}-server`)).ready);
      const figures: Figure[] = [];
      for (const connections of [10, 50]) figures.push(...(await compare(load, ports, connections)));
      return figures;
    } finally {
      for (const worker of workers) await worker.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Interleaved, so that what else the machine does falls on all of them. The ratio is that of each round's neighbours. */
async function compare(load: Worker, ports: Record<Server, number>, connections: number): Promise<readonly Figure[]> {
  const results: Record<Server, Result[]> = { signalbox: [], probot: [], bare: [] };
  const send = (server: Server, milliseconds: number) =>
    load.ask<Result>({ port: ports[server], connections, milliseconds } satisfies Load);
  for (const server of servers) await send(server, 1_500);
  for (let round = 0; round < rounds; round += 1) {
    for (const server of servers) results[server].push(await send(server, 1_500));
  }
  const ratio = (value: (result: Result) => number, peer: Server) =>
    median(results.signalbox.map((ours, round) => value(ours) / value(results[peer][round] ?? ours)));
  const perSecond = (result: Result) => result.perSecond;
  const p99 = (result: Result) => result.p99;
  const show = (value: (result: Result) => number, unit: string) =>
    servers.map((server) => `${server} ${median(results[server].map(value)).toFixed(unit === "ms" ? 1 : 0)}`).join(", ") +
    ` ${unit}`;
  const title = `${connections} connections`;
  return [
    {
      what: `${title}, against a no-op Probot app`,
      value: show(perSecond, "per second"),
      ratio: ratio(perSecond, "probot"),
      aim: { is: "at least", ratio: 1.2 },
    },
    { what: `${title}, against bare node:http with HMAC`, value: "", ratio: ratio(perSecond, "bare") },
    { what: `${title}, 99 of 100 answered within, against Probot`, value: show(p99, "ms"), ratio: ratio(p99, "probot") },
  ];
}
