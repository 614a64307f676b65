import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { knownWith } from "../../src/known.ts";
import { says } from "../repository-file/says.ts";

const home = join(import.meta.dirname, "..", "..");
const pages = [
  join(home, "README.md"),
  ...readdirSync(join(home, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(home, "docs", name)),
];

interface Block {
  /** What stands behind the fence: `sh`, `sh root`, `yaml file`. */
  readonly kind: string;
  readonly text: string;
}

function blocksOf(path: string): readonly Block[] {
  return [...readFileSync(path, "utf8").matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(([, kind = "", text = ""]) => ({
    kind,
    text,
  }));
}

const guide = blocksOf(join(home, "docs", "getting-started.md"));

describe("the commands of the ten-minute guide", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "signalbox-guide-"));
    for (const name of readdirSync(home))
      if (name !== ".git" && name !== ".env") symlinkSync(join(home, name), join(folder, name));
    writeFileSync(join(folder, "example.yml"), guide.find(({ kind }) => kind === "yaml file")?.text ?? "");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  // `sh root` changes the machine and `sh server` needs an App; "npm ci" has been run, or no test would run.
  const lines = guide
    .filter(({ kind }) => kind === "sh")
    .flatMap(({ text }) => text.trim().split("\n"))
    .filter((line) => line !== "npm ci");

  it("are there", () => expect(lines.length).toBeGreaterThan(2));

  it.each(lines)(
    "%s",
    (line) => {
      const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", line], { cwd: folder, encoding: "utf8", timeout: 300_000 });
      expect([status, status === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
    },
    300_000,
  );
});

describe("the pages", () => {
  it.each(["recipes.md", "getting-started.md"])("%s shows only files that the server accepts", (name) => {
    const files = blocksOf(join(home, "docs", name)).filter(({ kind }) => kind.startsWith("yaml"));
    expect(files.length).toBeGreaterThan(0);
    for (const { text } of files) expect([text, says(text, knownWith())]).toEqual([text, []]);
  });

  it.each(pages)("%s has links that lead somewhere", (page) => {
    const links = [...readFileSync(page, "utf8").matchAll(/\]\(((?!https?:|#|mailto:)[^)#\s]+)/g)].map(([, link = ""]) => link);
    const missing = links.filter((link) => spawnSync("test", ["-e", resolve(dirname(page), link)]).status !== 0);
    expect(missing).toEqual([]);
  });
});

describe("the packaging", () => {
  const file = (path: string) => readFileSync(join(home, "packaging", path), "utf8");

  it("has a dashboard and alerts that ask only for metrics that there are", () => {
    const known = readdirSync(join(home, "src", "metrics"))
      .map((name) => readFileSync(join(home, "src", "metrics", name), "utf8"))
      .join("\n");
    const asked = [file("prometheus/dashboard.json"), file("prometheus/alerts.yml")].flatMap((text) =>
      [...text.matchAll(/signalbox_[a-z_]+/g)].map(([name]) => name.replace(/_bucket$/, "")),
    );
    expect([...new Set(asked)].filter((name) => !known.includes(`"${name}"`))).toEqual([]);
    expect(parse(file("prometheus/alerts.yml"))).toMatchObject({ groups: [{ name: "signalbox" }] });
  });

  it("has a compose file whose profiles are shipped with it", () => {
    const { services } = parse(file("docker/compose.yml"));
    expect(services.signalbox.security_opt).toContain("seccomp=seccomp.json");
    expect(JSON.parse(file("docker/seccomp.json"))).toMatchObject({ defaultAction: "SCMP_ACT_ALLOW" });
    expect(file("docker/apparmor")).toContain("profile signalbox");
  });

  it("copies into the image all that the server needs, and runs it as nobody special", () => {
    const dockerfile = readFileSync(join(home, "Dockerfile"), "utf8");
    expect(dockerfile).toMatch(/^FROM node:24/m);
    expect(dockerfile.lastIndexOf("USER node")).toBeGreaterThan(dockerfile.lastIndexOf("RUN "));
    expect(dockerfile).toContain("HEALTHCHECK");
  });
});
