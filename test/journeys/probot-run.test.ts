import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { startGitHub } from "../../demo/github/github.ts";
import { freePort } from "../support/free-port.ts";
import { environmentFor, statusBecomes } from "../support/journey.ts";
import { until } from "../support/until.ts";

const home = join(import.meta.dirname, "..", "..");

describe("probot run ./src/index.ts", () => {
  it("checks a pull request and shows its run, for development", async () => {
    const folder = await mkdtemp(join(tmpdir(), "signalbox-probot-"));
    const github = await startGitHub();
    const port = await freePort();
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      ...environmentFor(github, { DATA_DIR: folder, PORT: String(port), SANDBOX: "none" }),
    };
    const words = [
      "--disable-warning=ExperimentalWarning",
      join(home, "node_modules", "probot", "bin", "probot.js"),
      "run",
      "./src/index.ts",
    ];
    const probot = spawn(process.execPath, words, { cwd: home, env, stdio: "ignore" });
    const ended = new Promise((resolve) => probot.once("exit", resolve));
    try {
      const url = `http://127.0.0.1:${port}`;
      await until("it listens", async () => (await fetch(url).catch(() => null)) !== null);
      github.webhooksTo(`${url}/api/github/webhooks`);
      const files = { ".github/signalbox.yml": `checks: { test: { run: "true" } }\n` };
      const shop = await github.repository({ owner: "acme", name: "shop", files, permissions: { mira: "write" } });
      const sha = await shop.commit({ branch: "autumn", files: { autumn: "" }, message: "Autumn", author: "mira" });
      await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
      const { targetUrl } = await statusBecomes(shop, sha, "signalbox/test", "success");
      expect((await fetch(`${url}${new URL(targetUrl ?? "").pathname}`)).status).toBe(200);
    } finally {
      probot.kill("SIGKILL");
      await ended;
      await github.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
