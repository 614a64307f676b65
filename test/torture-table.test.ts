import { readFile } from "node:fs/promises";
import { describe, expect, it } from "@jest/globals";
import type { Report } from "../torture/ordeal.ts";
import { inTable } from "../torture/table.ts";

const nothingWrong = { lost: 0, twice: 0, together: 0, orphans: 0, untrue: 0, slowest: 2.5 };
const report = { engine: "sqlite", kills: 200, seed: 1, deliveries: 3_000, executions: 50, ...nothingWrong } as Report;

describe("the table that a torture makes", () => {
  it("is as it was when nothing new is put in", async () => {
    const page = await readFile(new URL("../docs/reliability.md", import.meta.url), "utf8");
    expect(inTable(page, [])).toBe(page);
  });

  it("gives an engine and a seed one row, the newest, and keeps all columns even", async () => {
    const page = await readFile(new URL("../docs/reliability.md", import.meta.url), "utf8");
    const again = inTable(inTable(page, [report]), [
      { ...report, kills: 2_000_000 },
      { ...report, seed: 2 },
    ]);
    const lines = again.split("\n").filter((line) => line.startsWith("| SQLite") && / [12] +\| 3000 /.test(line));
    expect(lines.map((line) => line.split("|")[3]?.trim())).toEqual(["2000000", "200"]);
    const rows = again
      .split("\n")
      .filter((line) => /^\| (engine|-+|SQLite|PostgreSQL) /.test(line) && line.split("|").length === 14);
    expect(new Set(rows.map((line) => line.length)).size).toBe(1);
  });
});
