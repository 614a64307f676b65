import { type Figure, median } from "../support/measure.ts";
import type { Worker } from "../support/process.ts";
import { runs } from "./fill.ts";

const rounds = 7;

/** What each page costs the server; `long` is a run with a long log. */
export async function serverTimes(server: Worker, url: string, long: number): Promise<readonly Figure[]> {
  const limit = 50;
  const pages = {
    repositories: "/",
    environments: "/acme/shop",
    environment: "/acme/shop/environments/production",
    "pull request": "/acme/shop/pulls/1000",
    runs: "/acme/shop/runs",
    "runs that failed, of one check": "/acme/shop/runs?name=check-1&state=failed",
    "runs that were lost (none)": "/acme/shop/runs?state=lost",
    "runs, half a million back": `/acme/shop/runs?before=${runs / 2}`,
    run: `/acme/shop/runs/${long}`,
    deliveries: "/acme/shop/deliveries",
  };
  const figures: Figure[] = [];
  for (const [what, path] of Object.entries(pages)) {
    const times: number[] = [];
    // The first asks GitHub too.
    await (await fetch(`${url}${path}`)).arrayBuffer();
    const before = await server.ask<NodeJS.CpuUsage>({ cpu: true });
    for (let round = 0; round < rounds; round += 1) {
      const began = performance.now();
      const answer = await fetch(`${url}${path}`);
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
      times.push(performance.now() - began);
    }
    const after = await server.ask<NodeJS.CpuUsage>({ cpu: true });
    // What others do on this machine makes an answer late, not its work longer.
    const cpu = (after.user + after.system - before.user - before.system) / 1_000 / rounds;
    const value = `${cpu.toFixed(1)} ms of a processor, limit ${limit} ms; answered after ${median(times).toFixed(1)} ms (median)`;
    figures.push({ what: `page: ${what}`, value, ratio: cpu / limit, aim: { is: "at most", ratio: 1 } });
  }
  return figures;
}
