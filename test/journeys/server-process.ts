import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { GitHubStandIn } from "../../demo/github/github.ts";
import { webhookPath } from "../../src/doors/http.ts";
import { environmentFor } from "../support/journey.ts";

/** The real server as a process of its own, which a test may kill. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** What its log said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Everything that it has written so far. */
  output(): string;
  /** Resolves when it is gone; safe to repeat. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts it and resolves when it is ready and gets the webhooks; `inside` are words of a program that becomes the one named behind them. */
export async function startProcess(
  github: GitHubStandIn,
  folder: string,
  env: Readonly<Record<string, string>>,
  getsWebhooks = true,
  inside: readonly string[] = [],
): Promise<ServerProcess> {
  await mkdir(folder, { recursive: true });
  const [program = "", ...words] = [...inside, process.execPath, join(import.meta.dirname, "../../src/main.ts")];
  const child = spawn(program, words, {
    env: { ...environmentFor(github, { DATA_DIR: folder, LOG_FORMAT: "json", ...env }), PATH: process.env.PATH, HOME: folder },
    // Where an operator would have installed plug-ins.
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (output += piece));
  child.stderr.pipe(process.stderr);
  const ready = Promise.withResolvers<Record<string, unknown>>();
  child.once("exit", () => ready.reject(new Error("the server ended before it was ready")));
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.includes("Signalbox is ready")) ready.resolve(JSON.parse(line));
  });
  const said = await ready.promise;
  if (getsWebhooks) github.webhooksTo(`${said.url}${webhookPath}`);
  return { url: String(said.url), pid: child.pid ?? 0, ready: said, output: () => output, end: (signal) => end(child, signal) };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill(signal);
  await exit;
}
