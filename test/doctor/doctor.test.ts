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
import { checkedFetch } from "../support/github-contract.ts";
import { settingsFor } from "../support/journey.ts";

const yaml = `
checks: { test: { run: a } }
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
