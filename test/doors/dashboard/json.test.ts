import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { useDashboards } from "./dashboard.ts";
import { aScene } from "./scene.ts";

const document = readFileSync(join(import.meta.dirname, "../../../docs/json.md"), "utf8");

/** The addresses of the document with the example that stands below each. */
const examples = [...document.matchAll(/^### `GET ([^`]+)`[\s\S]*?```json\n([\s\S]*?)```/gm)].map(
  ([, address = "", example = ""]) => ({
    address,
    example: JSON.parse(example),
  }),
);

const runKeys = Object.keys(JSON.parse(/```json\n([\s\S]*?)```/.exec(document)?.[1] ?? "{}")).sort();

/** Which keys an answer has, at each depth; of a list, those of its last entry. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value.at(-1))];
  if (value === "a run") return value;
  if (typeof value !== "object" || value === null) return "value";
  if (JSON.stringify(Object.keys(value).sort()) === JSON.stringify(runKeys)) return "a run";
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, shapeOf(entry)]));
}

describe("what machines read", () => {
  const open = useDashboards();

  it("the document shows every address", () => {
    expect(examples.map(({ address }) => address)).toEqual([
      "/",
      "/:owner/:repo",
      "/:owner/:repo/environments/:env",
      "/:owner/:repo/pulls/:n",
      "/:owner/:repo/runs",
      "/:owner/:repo/runs/:id",
      "/:owner/:repo/runs/:id/log",
      "/:owner/:repo/runs/:id/search",
      "/:owner/:repo/deliveries",
      "/:owner/:repo/deliveries/:id",
    ]);
  });

  it.each(examples)("$address is as the document says", async ({ address, example }) => {
    const dashboard = await open();
    const scene = await aScene(dashboard);
    const path = address
      .replace(":owner/:repo", "acme/shop")
      .replace(":env", "staging")
      .replace(":n", "12")
      .replace("deliveries/:id", `deliveries/${scene.delivery}`)
      .replace("runs/:id", `runs/${scene.run}`);
    const answer = await fetch(`${dashboard.url}${path}${path.endsWith("/search") ? "?q=two" : ""}`, {
      headers: { accept: "application/json" },
    });
    expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
    expect(shapeOf(await answer.json())).toEqual(shapeOf(example));
  });

  it("a machine is told in JSON what it may not do", async () => {
    const dashboard = await open({ auth: "github" });
    const ask = (path: string) =>
      fetch(`${dashboard.url}${path}`, { headers: { accept: "application/json" }, redirect: "manual" });
    const stranger = await ask("/acme/shop");
    expect([stranger.status, await stranger.json()]).toEqual([401, { error: "Sign in first" }]);
    const other = await open();
    const missing = await fetch(`${other.url}/acme/none`, { headers: { accept: "application/json" } });
    expect([missing.status, await missing.json()]).toEqual([404, { error: "There is nothing here for you" }]);
  });

  it("a browser gets a page, whatever else it takes", async () => {
    const dashboard = await open();
    const answer = await fetch(dashboard.url, { headers: { accept: "text/html,application/xhtml+xml,application/json;q=0.9" } });
    expect(answer.headers.get("content-type")).toMatch(/^text\/html/);
  });
});
