import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cell, describeSandbox, makeScratch, probeSandbox, type Sandbox, sandboxed } from "../src/process/sandbox.ts";
import { spawnCommand } from "../src/process/spawn.ts";
import { type Figure, type Measure, median } from "./support/measure.ts";

const rounds = 25;

export const measure: Measure = {
  title: "what a sandbox adds to a command (true), in milliseconds; with a network of its own it waits for that",
  async run() {
    const probe = await probeSandbox();
    if (!probe.works) throw new Error(`${probe.problem}. ${probe.fix}`);
    const folder = await mkdtemp(join(tmpdir(), "signalbox-bench-"));
    try {
      const scratch = join(folder, "scratch");
      await makeScratch(scratch);
      const cell: Cell = { workspace: folder, scratch, readable: [], writable: [], network: false, env: {}, path: [] };
      const ways: readonly (readonly [string, Sandbox, Cell])[] = [
        ["true without a sandbox", { kind: "none" }, cell],
        ["bubblewrap alone", { ...probe.sandbox, before: [], network: null, processes: { kind: "none" } }, cell],
        ["as found here, without network", probe.sandbox, cell],
        ["as found here, with network", probe.sandbox, { ...cell, network: true }],
      ];
      const times = ways.map((): number[] => []);
      for (let round = 0; round < rounds; round += 1) {
        for (const [index, [, sandbox, cell]] of ways.entries()) times[index]?.push(await timeOf(sandbox, cell));
      }
      const { network, processes } = describeSandbox(probe.sandbox);
      const plain = median(times[0] ?? []);
      return ways.map(([what], index): Figure => {
        const time = median(times[index] ?? []);
        const found = index < 2 ? "" : index === 2 ? `; processes: ${processes}` : `; network: ${network}`;
        return { what, value: `${time.toFixed(1)} ms${index === 0 ? "" : `, ${(time - plain).toFixed(1)} more`}${found}` };
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function timeOf(sandbox: Sandbox, cell: Cell): Promise<number> {
  const began = performance.now();
  const io = { write: async () => {}, stop: new AbortController().signal };
  const ending = await spawnCommand(sandboxed(sandbox, cell, ["true"]), io);
  if (ending.kind !== "exited" || ending.code !== 0) throw new Error(`true ended so: ${JSON.stringify(ending)}`);
  return performance.now() - began;
}
