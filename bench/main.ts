import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename } from "node:path";
import type { Figure, Measure } from "./support/measure.ts";

/** Runs every measure of this folder, or those that are named (`npm run bench -- ingest`), and prints their figures beside their aims. */
const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && file !== "main.ts")
  .map((file) => basename(file, ".ts"))
  .toSorted();
const named = process.argv.slice(2);
const unknown = named.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no measure ${unknown.join(", ")}; there are: ${known.join(", ")}`);
  process.exit(1);
}

const wanted = named.length > 0 ? named : known;
const [only = "", ...others] = wanted;
if (others.length === 0) await run(only);
// Each in a process of its own: what one does to its process, and leaves in it, is not measured with the next.
else
  for (const name of wanted) {
    const { status } = spawnSync(process.execPath, [...process.execArgv, import.meta.filename, name], { stdio: "inherit" });
    if (status !== 0) process.exitCode = 1;
  }

async function run(name: string): Promise<void> {
  const { measure }: { measure: Measure } = await import(`./${name}.ts`);
  console.log(`\n${name}: ${measure.title}`);
  try {
    print(await measure.run());
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
}

function print(figures: readonly Figure[]): void {
  const rows = figures.map(({ what, value, ratio, aim }) => [
    what,
    value,
    ratio === undefined ? "" : ratio.toFixed(2),
    aim === undefined ? "" : `aim ${aim.is === "at least" ? "≥" : "≤"} ${aim.ratio}`,
    aim === undefined || ratio === undefined ? "" : reached(ratio, aim) ? "reached" : "NOT REACHED",
  ]);
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows) console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
}

function reached(ratio: number, aim: NonNullable<Figure["aim"]>): boolean {
  return aim.is === "at least" ? ratio >= aim.ratio : ratio <= aim.ratio;
}
