import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../src/database/connection.ts";
import { openLog, readLines } from "../src/runs/log.ts";
import { type Measure, quantile } from "./support/measure.ts";

const lines = 200_000;
/** As many as a page asks for at once. */
const range = 1_000;
const limit = 20;
const rounds = 200;

export const measure: Measure = {
  title: `${range} lines from anywhere in a log of ${lines}, each within ${limit} ms`,
  async run() {
    const folder = await mkdtemp(join(tmpdir(), "signalbox-bench-"));
    const database = await openDatabase({ url: null, folder, exclusive: true });
    try {
      const log = openLog(database, { run: 1, attempt: 1, limit: 64 * 2 ** 20 });
      for (let line = 1; line <= lines; line += 100) {
        const text = Array.from({ length: 100 }, (_, index) => `line ${line + index}: ok, it took ${(line * 7_919) % 977} ms\n`);
        await log.write(Buffer.from(text.join("")));
      }
      await log.close();
      const times: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        // Primes, so that it is always another place.
        const from = 1 + ((round * 104_729) % (lines - range));
        const began = performance.now();
        const { lines: read } = await database.read((db) => readLines(db, { run: 1, attempt: 1, from, to: from + range - 1 }));
        times.push(performance.now() - began);
        if (read.length !== range || !read[0]?.startsWith(`line ${from}:`)) throw new Error(`The lines from ${from} are others`);
      }
      const [usual, worst] = [quantile(times, 0.5), quantile(times, 0.99)];
      const value = `${usual.toFixed(1)} ms, 99 of 100 within ${worst.toFixed(1)} ms`;
      return [{ what: "reading a range", value, ratio: worst / limit, aim: { is: "at most", ratio: 1 } }];
    } finally {
      await database.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
