import type { Report } from "./ordeal.ts";

const head = [
  "| engine | servers | kills | seed | acknowledged deliveries | deployments executed | lost | executed twice | two at once | orphans | untrue after 30 s | longest until all was true |",
  "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
];
const begin = "<!-- made by npm run torture -- --write -->";
const end = "<!-- end -->";

/** The page with its table made anew: the rows of the same engine and seed are replaced, others stay. */
export function inTable(page: string, reports: readonly Report[]): string {
  const rows = reports.map(rowOf);
  const old = page.split(begin)[1]?.split(end)[0]?.split("\n") ?? [];
  const kept = old.filter((line) => isRow(line) && !rows.some((row) => isSame(row, line)));
  const table = [begin, "", ...head, ...kept, ...rows, "", end].join("\n");
  return page.includes(begin) ? `${page.split(begin)[0]}${table}${page.split(end)[1] ?? ""}` : [...head, ...rows].join("\n");
}

function rowOf(report: Report): string {
  const servers = report.engine === "sqlite" ? "1" : "2 web, 2 workers";
  const { engine, kills, seed, deliveries, executions, lost, twice, together, orphans, untrue, slowest } = report;
  const name = { sqlite: "SQLite", postgres: "PostgreSQL" }[engine];
  const cells = [
    name,
    servers,
    kills,
    seed,
    deliveries,
    executions,
    lost,
    twice,
    together,
    orphans,
    untrue,
    `${slowest.toFixed(1)} s`,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Neither the head nor the line below it. */
function isRow(line: string): boolean {
  return line.startsWith("| ") && !["engine", ""].includes(cellsOf(line)[0]?.replaceAll("-", "") ?? "");
}

function isSame(one: string, other: string): boolean {
  const key = (row: string) => [cellsOf(row)[0], cellsOf(row)[3]].join();
  return key(one) === key(other);
}

/** The formatter pads them. */
function cellsOf(row: string): readonly string[] {
  return row
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}
