import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { GitHubStandIn } from "../demo/github/github.ts";
import { probeSandbox } from "../src/process/sandbox.ts";

/** A real server as a process of its own, which is killed and started again. */
export interface Replica {
  readonly role: "all" | "web" | "worker";
  readonly url: string | null;
  readonly pid: number | null;
  /** Resolves when it is ready; rejects when it ends before. */
  start(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Everything that it said at the levels "error" and above. */
  readonly errors: readonly string[];
}

/** What every server needs to obey the stand-in; its folder and its database come to it. */
export async function environmentOf({
  app,
  host,
}: Pick<GitHubStandIn, "app" | "host">): Promise<Readonly<Record<string, string>>> {
  return {
    APP_ID: String(app.id),
    PRIVATE_KEY: app.privateKey,
    WEBHOOK_SECRET: app.webhookSecret,
    GHE_HOST: host,
    GHE_PROTOCOL: "http",
    HOST: "127.0.0.1",
    PORT: "0",
    PUBLIC_URL: "http://127.0.0.1:3000",
    DASHBOARD_AUTH: "none",
    ALLOWED_REPOSITORIES: "acme/*",
    CONCURRENCY: "2",
    LOG_FORMAT: "json",
    SECRET_KEY: "0".repeat(64),
    SANDBOX: (await probeSandbox()).works ? "bubblewrap" : "none",
  };
}

export function replica(role: Replica["role"], env: Readonly<Record<string, string>>): Replica {
  let child: ChildProcess | null = null;
  let url: string | null = null;
  const errors: string[] = [];

  function hear(line: string, ready: (url: string) => void): void {
    if (line.includes('"msg":"Signalbox is ready"')) ready(JSON.parse(line).url);
    if (/^\{"level":[56]0/.test(line)) errors.push(line);
  }

  return {
    role,
    errors,
    get url() {
      return url;
    },
    get pid() {
      return child?.pid ?? null;
    },
    async start() {
      const main = join(import.meta.dirname, "..", "src", "main.ts");
      const started = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main], {
        env: { ...env, ROLE: role, PATH: process.env.PATH },
        stdio: ["ignore", "pipe", "inherit"],
      });
      child = started;
      const ready = Promise.withResolvers<string>();
      started.once("exit", () => ready.reject(new Error("a server ended before it was ready")));
      createInterface({ input: started.stdout }).on("line", (line) => hear(line, ready.resolve));
      url = await ready.promise;
    },
    async kill() {
      const dying = child;
      child = null;
      url = null;
      if (dying === null || dying.exitCode !== null || dying.signalCode !== null) return;
      const exit = once(dying, "exit");
      dying.kill("SIGKILL");
      await exit;
    },
  };
}
