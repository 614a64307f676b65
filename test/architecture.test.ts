import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "@jest/globals";

const source = join(import.meta.dirname, "..", "src");

/** Which rooms a room may import; arrows go down only. The picture is in docs/architecture.md. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  // The ground: these know none of the others.
  settings: [],
  database: [],
  process: [],
  outbound: [],
  elsewhere: ["outbound", "process"],
  "repository-file": [],
  github: ["database"],
  secrets: ["database"],
  // What is happening.
  runs: ["database", "elsewhere", "process", "secrets"],
  // Plug-ins: their interface and the processes they start.
  runners: ["elsewhere", "process", "outbound"],
  targets: ["elsewhere", "process", "outbound"],
  // What should happen.
  checks: ["runs", "runners", "repository-file", "github", "process", "outbound", "database"],
  deployments: ["checks", "runs", "targets", "repository-file", "github", "outbound", "process", "database"],
  // What may be done, by whom, with history.
  deeds: ["checks", "deployments", "runs", "github", "database"],
  merging: ["runs", "repository-file", "github", "database"],
  // Speaks outward about runs; nobody imports it.
  reporting: ["runs", "github", "database"],
  notifying: ["deployments", "runs", "repository-file", "github", "outbound", "secrets", "database"],
  // For operators: read everything, change nothing.
  metrics: ["database"],
  tracing: ["database", "runs"],
  doctor: ["process", "repository-file", "runs", "github", "secrets", "database", "settings"],
  // Who knocks.
  "set-up": ["settings"],
  doors: ["doctor", "deeds", "checks", "deployments", "runs", "repository-file", "github", "secrets", "database", "settings"],
};

/** Files that put the house together may import every room. */
const assembly = [
  "app.ts",
  "index.ts",
  "known.ts",
  "log.ts",
  "main.ts",
  "probot.ts",
  "server.ts",
  "services.ts",
  "set-up.ts",
  "settings.ts",
  "signalbox.ts",
];

interface Import {
  readonly from: string;
  readonly to: string;
}

function importsOf(path: string): readonly Import[] {
  const from = relative(source, path);
  const specifiers = [...readFileSync(path, "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  return specifiers.map((specifier) => ({ from, to: relative(source, resolve(dirname(path), specifier)) }));
}

const files = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name));
const imports = files.flatMap(importsOf);

function roomOf(path: string): string {
  const [room = "", ...rest] = path.split("/");
  // `settings.ts` and `set-up.ts` are the doors of their rooms.
  if (rest.length === 0) return room === "settings.ts" ? "settings" : room === "set-up.ts" ? "set-up" : room;
  return room;
}

describe("the architecture", () => {
  it("has a rule for every room", () => {
    const rooms = new Set(files.map((path) => roomOf(relative(source, path))).filter((room) => !assembly.includes(room)));
    expect([...rooms].filter((room) => mayImport[room] === undefined)).toEqual([]);
  });

  it("has arrows that go down only", () => {
    const wrong = imports.filter(({ from, to }) => {
      const [room, other] = [roomOf(from), roomOf(to)];
      if (assembly.includes(room) || room === other) return false;
      // Handlers and the command line are handed the house, or open it.
      if (room === "doors" && assembly.includes(other)) return false;
      return !(mayImport[room] ?? []).includes(other);
    });
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it("keeps Octokit and Probot to the rooms that speak with GitHub", () => {
    const allowed = /^(github|doors\/webhooks\/handlers)\/|^(app|index|probot|signalbox)\.ts$/;
    const users = files
      .filter((path) => /from "(probot|@octokit\/)/.test(readFileSync(path, "utf8")))
      .map((path) => relative(source, path));
    expect(users.filter((path) => !allowed.test(path))).toEqual([]);
  });

  it("names no file a bag", () => {
    const bags = files
      .map((path) => relative(source, path))
      .filter((path) => /(^|\/)(utils?|helpers?|common|lib|manager|types|misc)(\/|\.ts$)/.test(path));
    expect(bags).toEqual([]);
  });

  it("names no host of GitHub outside the settings", () => {
    const named = files
      .filter((path) => !relative(source, path).startsWith("settings"))
      .filter((path) => /["'`]https:\/\/(api\.)?github\.com/.test(readFileSync(path, "utf8")));
    expect(named.map((path) => relative(source, path))).toEqual([]);
  });
});
