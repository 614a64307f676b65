import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../log.ts";
import { repositoryFilePath } from "../../repository-file/load.ts";
import { startServer } from "../../server.ts";
import { readSettings, type Settings } from "../../settings.ts";
import { webhookPath } from "../http.ts";
import { printedGitHub } from "./printed-github.ts";
import { type Fixture, signedHeaders } from "./replay.ts";

const sample = `checks:
  test: { run: npm test }
environments:
  staging: { trigger: merge, target: directory, with: { path: staging } }
  production: { after: staging, target: directory, with: { path: production } }
`;

/**
 * Handles fixtures in this process: everything is real but GitHub, whose requests are printed and answered with what each of
 * them needs to go on. Nothing is cloned and nothing runs; the database is thrown away.
 */
export async function replayLocally(fixtures: readonly Fixture[], file: string | undefined): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-replay-"));
  try {
    const settings = throwawaySettings(folder);
    const github = printedGitHub(repositoryFile(file), (line) => console.log(line));
    const log = createLog({ level: "warn", format: "pretty" });
    const server = await startServer({ settings, log, fetch: github.fetch });
    try {
      for (const fixture of fixtures) {
        console.log(`\n${fixture.path}`);
        github.about(JSON.parse(fixture.body));
        const headers = signedHeaders(fixture, settings.webhookSecrets[0]);
        const response = await fetch(`${server.url}${webhookPath}`, { method: "POST", headers, body: fixture.body });
        if (!response.ok) throw new Error(`${fixture.path}: ${response.status} ${await response.text()}`);
        await server.settled();
      }
    } finally {
      await server.stop();
    }
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function repositoryFile(path: string | undefined): string {
  if (path !== undefined) return readFileSync(path, "utf8");
  if (existsSync(repositoryFilePath)) return readFileSync(repositoryFilePath, "utf8");
  console.log(
    `There is no ${repositoryFilePath} here (--file names another one), so the repository's file is:\n\n${sample.replace(/^/gm, "  ")}`,
  );
  return sample;
}

function throwawaySettings(folder: string): Settings {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const env = {
    // The App of the fixtures: what happens to its own check runs and deployments is for it.
    APP_ID: "29310",
    PRIVATE_KEY: privateKey,
    WEBHOOK_SECRET: randomBytes(32).toString("hex"),
    HOST: "127.0.0.1",
    PORT: "0",
    PUBLIC_URL: "http://127.0.0.1:3000",
    DATA_DIR: folder,
    DASHBOARD_AUTH: "none",
    ALLOWED_REPOSITORIES: "*/*",
  };
  const read = readSettings(env, { read: () => "" });
  if (read.kind !== "settings") throw new Error("The settings of a local replay are wrong");
  // Nothing runs here, so that nothing is cloned either.
  return { ...read.settings, role: "web" };
}
