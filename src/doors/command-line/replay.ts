import { createHmac, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { home } from "../../settings/read-values.ts";
import { loadEnvironment, readSettings } from "../../settings.ts";
import { webhookPath } from "../http.ts";
import { UsageError } from "./usage.ts";

export interface ReplayOptions {
  /** Handle them in this process, with GitHub's requests printed instead of sent. */
  readonly local: boolean;
  /** Of the running server; from the settings when missing. */
  readonly url: string | undefined;
  /** The repository's file for `local`. */
  readonly file: string | undefined;
}

/** A delivery from a file: its name says the event (`pull_request.opened.json`), its content is the payload. */
export interface Fixture {
  readonly path: string;
  readonly event: string;
  readonly body: string;
}

/** Replays fixtures one after the other. 0 when the server accepted all of them. */
export async function replay(paths: readonly string[], options: ReplayOptions): Promise<number> {
  if (paths.length === 0) throw new UsageError("replay needs a fixture, for example fixtures/pull_request.opened.json");
  const fixtures = paths.map(readFixture);
  if (!options.local) return send(fixtures, options.url);
  const { replayLocally } = await import("./replay-locally.ts");
  return replayLocally(fixtures, options.file);
}

function readFixture(path: string): Fixture {
  const body = readFileSync(path, "utf8");
  JSON.parse(body);
  return { path, event: basename(path).split(".", 1)[0] ?? "", body };
}

async function send(fixtures: readonly Fixture[], wanted: string | undefined): Promise<number> {
  const read = readSettings(loadEnvironment(home, process.env), { read: (path) => readFileSync(path, "utf8") });
  if (read.kind !== "settings") {
    const why =
      read.kind === "problems" ? read.problems.join("\n  ") : "there is no App yet: npm start opens the page that makes one";
    throw new Error(`The settings are needed to sign what is sent:\n  ${why}`);
  }
  const { host, port, webhookSecrets } = read.settings;
  const url = wanted ?? `http://${host}:${port}${webhookPath}`;
  let refused = 0;
  for (const fixture of fixtures) {
    const response = await fetch(url, {
      method: "POST",
      headers: signedHeaders(fixture, webhookSecrets[0]),
      body: fixture.body,
    }).catch((error: unknown) => {
      throw new Error(`No server answers at ${url}; start one with npm start, or say --local`, { cause: error });
    });
    if (!response.ok) refused += 1;
    console.log(`${fixture.path}: ${response.status} ${(await response.text()).trim()}`);
  }
  return refused === 0 ? 0 : 1;
}

/** As GitHub signs: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
export function signedHeaders({ event, body }: Pick<Fixture, "event" | "body">, secret: string): Record<string, string> {
  return {
    "content-type": "application/json",
    "user-agent": "GitHub-Hookshot/replay",
    "x-github-delivery": randomUUID(),
    "x-github-event": event,
    "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  };
}
