import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { knownWith } from "../../src/known.ts";
import { says } from "../repository-file/says.ts";
import { environmentFor, sandbox, useJourneys } from "../support/journey.ts";
import { until } from "../support/until.ts";
import { blocksOf, home, pages, shell } from "./blocks.ts";

const guides = ["docs/getting-started.md", "docs/fixtures.md"];
const linesOf = (kind: string) => [
  ...new Set(
    shell
      .filter((block) => block.kind === kind && guides.includes(block.page))
      .flatMap(({ text }) => text.trim().split("\n"))
      // It has been run, or no test would.
      .filter((line) => line !== "npm ci"),
  ),
];

describe("the commands of the guides", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "signalbox-guide-"));
    for (const name of readdirSync(home))
      if (name !== ".git" && name !== ".env") symlinkSync(join(home, name), join(folder, name));
    const [file] = blocksOf(join(home, "docs", "getting-started.md")).filter(({ kind }) => kind === "yaml file");
    writeFileSync(join(folder, "example.yml"), file?.text ?? "");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Gives what went wrong; what is said stays unread when nothing did. */
  async function run(line: string, env: Readonly<Record<string, string>> = {}): Promise<unknown> {
    return promisify(execFile)("/bin/sh", ["-c", line], { cwd: folder, env: { ...process.env, ...env }, timeout: 300_000 }).then(
      () => null,
      (error) => error,
    );
  }

  it.each(linesOf("sh"))("%s", async (line) => expect(await run(line)).toBeNull(), 300_000);

  describe("beside a server", () => {
    const journeys = useJourneys();

    it.each(linesOf("sh server").filter((line) => line !== "npm start"))("%s", async (line) => {
      const { github, server, folder: data } = await journeys.start();
      const env = { DATA_DIR: data, SANDBOX: await sandbox, PORT: new URL(server.url).port, PUBLIC_URL: server.url };
      expect(await run(line, environmentFor(github, env))).toBeNull();
    });
  });

  it("npm start", async () => {
    expect(linesOf("sh server")).toContain("npm start");
    const data = mkdtempSync(join(tmpdir(), "signalbox-guide-data-"));
    const env = { PATH: process.env.PATH ?? "", DATA_DIR: data, PORT: "0", APP_ID: "", PRIVATE_KEY: "", WEBHOOK_SECRET: "" };
    // A group of its own, because npm does not hand on the signal that ends it.
    const npm = spawn("/bin/sh", ["-c", "npm start"], { cwd: folder, env, detached: true });
    const ended = once(npm, "exit");
    let said = "";
    for (const stream of [npm.stdout, npm.stderr]) stream.on("data", (piece) => (said += piece));
    try {
      const page = await until("it names its page", () => /http:\/\/127\.0\.0\.1:[1-9]\d*[^\s\x1b"]*/.exec(said)?.[0]);
      expect((await fetch(page)).status).toBe(200);
    } finally {
      process.kill(-(npm.pid ?? 0), "SIGTERM");
      await ended;
      rmSync(data, { recursive: true });
    }
  });

  it.each(shell)("$page: $text is what a shell understands, and names files that there are", ({ text }) => {
    expect(spawnSync("bash", ["-n"], { input: text, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
    const named = [...text.matchAll(/(?<=^|[\s"/])(?:packaging|fixtures|examples|bin)\/[\w./-]+/g)].map(([path]) => path);
    expect(named.filter((path) => !existsSync(join(home, path)))).toEqual([]);
  });
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

  /** Runs a program's own checker over a copy of our file, with paths that there are; gives what it complains of. */
  function complaints(program: string, words: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(program, words, { encoding: "utf8" });
    return status === 0 ? "" : `${stdout}${stderr}`;
  }
  const has = (program: string) => spawnSync("/bin/sh", ["-c", `command -v ${program}`]).status === 0;
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "signalbox-packaging-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  (has("systemd-analyze") ? it : it.skip)("has a unit that systemd understands", () => {
    const unit = join(folder, "signalbox.service");
    writeFileSync(unit, file("systemd/signalbox.service").replaceAll("/opt/signalbox", home));
    expect(complaints("systemd-analyze", ["verify", "--man=no", unit])).toBe("");
  });

  (has("nginx") ? it : it.skip)("and a recipe have sites that nginx understands", () => {
    const key = join(folder, "key.pem");
    const subject = ["-subj", "/CN=ci.example.com", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    expect(complaints("openssl", ["req", "-x509", ...subject, "-keyout", key, "-out", key])).toBe("");
    const recipe = blocksOf(join(home, "docs", "recipes", "previews.md")).find(({ kind }) => kind === "nginx")?.text ?? "";
    const sites = `${file("proxy/nginx.conf")}${recipe}`
      .replace(/\/etc\/ssl\/\S+\.(?:pem|key)/g, key)
      // No port of this machine is taken.
      .replace(/listen \d+/g, (_port, at) => `listen unix:${join(folder, `${at}.sock`)}`);
    const conf = join(folder, "nginx.conf");
    writeFileSync(conf, `pid ${join(folder, "pid")};\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${sites}}\n`);
    expect(complaints("nginx", ["-t", "-q", "-p", folder, "-c", conf])).toBe("");
  });

  (has("caddy") ? it : it.skip)("and a recipe have sites that Caddy understands", () => {
    const recipe = blocksOf(join(home, "docs", "recipes", "previews.md")).find(({ kind }) => kind === "caddy")?.text ?? "";
    const conf = join(folder, "Caddyfile");
    // The provider of a wildcard's certificate is a plug-in.
    writeFileSync(conf, `${file("proxy/Caddyfile")}\n${recipe.replace(/^ *tls .*$/m, "")}`);
    expect(complaints("caddy", ["adapt", "--adapter", "caddyfile", "--config", conf])).toBe("");
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
