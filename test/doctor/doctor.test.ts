import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { type GitHubOptions, startGitHub } from "../../demo/github/github.ts";
import { openDatabase } from "../../src/database/connection.ts";
import { examine } from "../../src/doctor/examine.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { openGitHub } from "../../src/github/github.ts";
import { rememberRepository } from "../../src/github/repository.ts";
import { createProbot } from "../../src/probot.ts";
import { fileLoader } from "../../src/services.ts";
import { signalbox } from "../doors/command-line.ts";
import { checkedFetch } from "../support/github-contract.ts";
import { settingsFor } from "../support/journey.ts";

const yaml = `
checks: { test: { run: a }, e2e: { runner: jenkins, with: { url: "https://ci.example.com", job: shop, credentials: JENKINS } } }
automerge: {}
notify: [{ slack: SLACK_WEBHOOK }]
environments:
  live: { target: ssh, with: { host: deploy@shop.example.com, path: /srv/shop, key: SHOP_KEY } }
`;

describe("the doctor", () => {
  const endings: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0).toReversed()) await end();
  });

  async function examined(options: GitHubOptions = {}, more: Readonly<Record<string, string>> = {}): Promise<readonly Finding[]> {
    const dataDir = mkdtempSync(join(tmpdir(), "signalbox-doctor-"));
    endings.push(() => rmSync(dataDir, { recursive: true }));
    const github = await startGitHub(options);
    endings.push(() => github.close());
    const shop = await github.repository({ owner: "acme", name: "shop", files: { ".github/signalbox.yml": yaml } });
    const settings = settingsFor(github, { DATA_DIR: dataDir, SANDBOX: "none", ...more });
    const database = await openDatabase({ url: null, folder: dataDir });
    endings.push(() => database.close());
    const log = pino({ level: "silent" });
    const api = openGitHub({ probot: createProbot({ settings, log }), apiUrl: settings.github.api, fetch: checkedFetch(fetch) });
    const { request } = await openGitHub({
      probot: createProbot({ settings: settingsFor(github, {}), log }),
      apiUrl: settings.github.api,
    }).asApp();
    const { data } = await request("GET /repos/{owner}/{repo}/installation", { owner: "acme", repo: "shop" });
    await database.write((tx) =>
      rememberRepository(tx, {
        ...{ id: shop.id, installation: data.id, owner: "acme", name: "shop", private: false },
        ...{ defaultBranch: "main", cloneUrl: shop.cloneUrl },
      }),
    );
    return examine({ settings, database, github: api, loadFile: fileLoader(settings, api) }, "/api/github/webhooks");
  }

  const said = (findings: readonly Finding[], subject: Finding["subject"]) =>
    findings.filter((one) => one.subject === subject).map(({ state, what }) => `${state}: ${what}`);

  it("compares what the App may do with what the files in use need, and shows the fix of each", async () => {
    const findings = await examined();
    expect(said(findings, "app")[0]).toMatch(/^fine: .* knows it as signalbox, owned by acme$/);
    expect(said(findings, "clock")).toEqual(["fine: it shows GitHub's time"]);
    expect(said(findings, "permissions")).toEqual(["wrong: the App lacks contents: write (automerge of acme/shop)"]);
    expect(said(findings, "events")).toEqual([
      "fine: it hears of all that it should",
      "doubtful: it does not hear of reviews, so automerge looks for them now and then",
    ]);
    expect(said(findings, "ssh hosts")).toEqual([
      "doubtful: the host key of deploy@shop.example.com is not known, so deployments there are refused",
    ]);
    expect(findings.find(({ subject }) => subject === "ssh hosts")?.fix).toContain(
      "ssh-keyscan -t ed25519 -p 22 shop.example.com >> ",
    );
    expect(said(findings, "secrets")).toEqual([
      "doubtful: acme/shop names the secret SLACK_WEBHOOK, which is not set",
      "doubtful: acme/shop names the secret JENKINS, which is not set",
      "doubtful: acme/shop names the secret SHOP_KEY, which is not set",
    ]);
    expect(said(findings, "database")[0]).toMatch(/^fine: SQLite in .* is whole$/);
    expect(findings.filter(({ state, fix }) => (state === "fine") !== (fix === null))).toEqual([]);
  });

  it("asks for what the server's settings need", async () => {
    expect(said(await examined({}, { SHOW_CHECKS_AS: "check-runs" }), "permissions")).toContain(
      "wrong: the App lacks checks: write (SHOW_CHECKS_AS=check-runs)",
    );
  });

  it("says that events are missing", async () => {
    const findings = await examined({ events: ["push"] });
    expect(said(findings, "events")[0]).toMatch(/^wrong: it does not hear of pull_request, deployment, /);
  });

  it("says what is wrong with the credentials, and examines the machine all the same", async () => {
    const other = await startGitHub();
    endings.push(() => other.close());
    const findings = await examined({}, { PRIVATE_KEY: other.app.privateKey });
    expect(findings[0]).toMatchObject({ subject: "app", state: "wrong", fix: expect.stringContaining("make a new key") });
    expect(said(findings, "disk")).toHaveLength(1);
    expect(said(findings, "git")[0]).toMatch(/^fine: git \d/);
  });
});

describe("bin/signalbox doctor", () => {
  const endings: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0).toReversed()) await end();
  });

  async function beside(options: GitHubOptions = {}) {
    const folder = mkdtempSync(join(tmpdir(), "signalbox-doctor-"));
    endings.push(() => rmSync(folder, { recursive: true }));
    const github = await startGitHub(options);
    endings.push(() => github.close());
    await (await openDatabase({ url: null, folder })).close();
    return (words: readonly string[], env = {}) => signalbox({ github, folder, env }, "doctor", ...words);
  }

  it("ends with 0 when nothing is wrong, and says so in words and for machines", async () => {
    const doctor = await beside();
    const { code, said } = await doctor([]);
    expect([code, said]).toEqual([0, expect.stringMatching(/^✓ app: .*\n✓ clock: .*0 wrong, \d doubtful\.\n$/s)]);
    const findings = JSON.parse((await doctor(["--json"])).said);
    expect(findings).toContainEqual({ subject: "clock", state: "fine", what: "it shows GitHub's time", fix: null });
  });

  it("ends with 1 when something is wrong, with what to do about it", async () => {
    const doctor = await beside({ events: ["push"] });
    const { code, said } = await doctor([]);
    expect([code, said]).toEqual([1, expect.stringMatching(/^✗ events: it does not hear of .*\n {4}→ tick them at http.*/m)]);
    expect(said).toMatch(/\n\n1 wrong, /);
    expect((await doctor(["--json"])).code).toBe(1);
    expect(await doctor([], { APP_ID: "" })).toEqual({
      code: 1,
      said: expect.stringContaining("The server's settings are needed:\n  APP_ID is missing"),
    });
  });

  it("ends with 2 for words that it does not take", async () => {
    const doctor = await beside();
    expect(await doctor(["--jsno"])).toEqual({ code: 2, said: expect.stringContaining("--jsno") });
    expect(await doctor(["please"])).toEqual({ code: 2, said: expect.stringContaining('doctor takes no "please"') });
  });
});
