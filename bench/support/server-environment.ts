import { generateKeyPairSync } from "node:crypto";
import { freePort } from "../../test/support/free-port.ts";
import { secret } from "../ingest/delivery.ts";

/** The environment of a real server for a measure: it takes webhooks and answers pages, and runs nothing. */
export async function serverEnvironment(
  folder: string,
  gitHubHost: string,
): Promise<{ readonly env: Record<string, string>; readonly url: string }> {
  const port = await freePort();
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const env = {
    PATH: process.env.PATH ?? "",
    APP_ID: "1",
    PRIVATE_KEY: privateKey,
    WEBHOOK_SECRET: secret,
    GHE_HOST: gitHubHost,
    GHE_PROTOCOL: "http",
    HOST: "127.0.0.1",
    PORT: String(port),
    DATA_DIR: folder,
    DASHBOARD_AUTH: "none",
    SANDBOX: "none",
    ALLOWED_REPOSITORIES: "*/*",
    LOG_LEVEL: "fatal",
  };
  return { env, url: `http://127.0.0.1:${port}` };
}
