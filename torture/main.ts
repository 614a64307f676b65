/**
 * Kills servers at random moments while pull requests, pushes, merges, approvals, deployments, redeliveries and GitHub's faults go on.
 *
 *     npm run torture -- [--engine sqlite|postgres] [--kills N] [--seed N] [--write]
 *
 * Without an engine both, with 200 and 100 kills. `--write` puts the table into docs/reliability.md.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Report, undergo } from "./ordeal.ts";
import { inTable } from "./table.ts";

const { values } = parseArgs({
  options: {
    engine: { type: "string" },
    kills: { type: "string" },
    seed: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const engines = (["sqlite", "postgres"] as const).filter((engine) => values.engine === undefined || values.engine === engine);
if (engines.length === 0) {
  console.error(`There is no engine ${values.engine}; there are: sqlite, postgres`);
  process.exit(2);
}

const reports: Report[] = [];
for (const engine of engines) {
  const kills = Number(values.kills ?? (engine === "sqlite" ? 200 : 100));
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${engine}: ${kills} kills, seed ${seed}`);
  const report = await undergo({ engine, kills, seed, say: (line) => console.log(line) });
  reports.push(report);
}
const page = join(import.meta.dirname, "..", "docs", "reliability.md");
console.log(inTable("", reports));
if (values.write) writeFileSync(page, inTable(readFileSync(page, "utf8"), reports));
process.exit(reports.some(({ faults }) => faults.length > 0) ? 1 : 0);
