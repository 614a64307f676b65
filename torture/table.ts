import type { Report } from "./ordeal.ts";

const head = [
  ...["engine", "servers", "kills", "seed", "acknowledged deliveries", "deployments executed", "lost", "executed twice"],
  ...["two at once", "orphans", "untrue after 30 s", "longest until all was true"],
];
const begin = "<!-- made by npm run torture -- --write -->";
const end = "<!-- end -->";

/** The page with its table made anew: the rows of the same engine and seed are replaced, others stay. */
export function inTable(page: string, reports: readonly Report[]): string {
  const rows = reports.map(rowOf);
  const old =
    page
      .split(begin)[1]
      ?.split(end)[0]
      ?.split("\n")
      .filter((line) => line.startsWith("| ")) ?? [];
  // Behind the head and the line below it.
  const kept = old
    .slice(2)
    .map(cellsOf)
    .filter((line) => !rows.some((row) => isSame(row, line)));
  const table = padded([head, ...kept, ...rows]);
  if (!page.includes(begin)) return table.join("\n");
  return `${page.split(begin)[0]}${[begin, "", ...table, "", end].join("\n")}${page.split(end)[1] ?? ""}`;
}

type Row = readonly string[];

function padded(rows: readonly Row[]): readonly string[] {
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const [first = "", ...others] = rows.map((row) => lineOf(row.map((cell, column) => cell.padEnd(widths[column] ?? 0))));
  return [first, lineOf(widths.map((width) => "-".repeat(width))), ...others];
}

function lineOf(cells: Row): string {
  return `| ${cells.join(" | ")} |`;
}

function rowOf(report: Report): Row {
  const servers = report.engine === "sqlite" ? "1" : "2 web, 2 workers";
  const { engine, kills, seed, deliveries, executions, lost, twice, together, orphans, untrue, slowest } = report;
  const name = { sqlite: "SQLite", postgres: "PostgreSQL" }[engine];
  const counts = [kills, seed, deliveries, executions, lost, twice, together, orphans, untrue].map(String);
  return [name, servers, ...counts, `${slowest.toFixed(1)} s`];
}

function isSame(one: Row, other: Row): boolean {
  return one[0] === other[0] && one[3] === other[3];
}

function cellsOf(line: string): Row {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}
