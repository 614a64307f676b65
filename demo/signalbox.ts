import { type ChildProcess, spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { probeSandbox } from "../src/process/sandbox.ts";
import type { GitHubStandIn } from "./github/github.ts";

export interface RunningSignalbox {
  readonly url: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

export interface DemoServer {
  readonly github: GitHubStandIn;
  readonly dataDir: string;
  /** Where the server's own log goes. */
  readonly log: "inherit" | "ignore";
}

/** Starts the real server as a process of its own, obeying the stand-in, and waits until it is ready. */
export async function startSignalbox({ github, dataDir, log }: DemoServer): Promise<RunningSignalbox> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    APP_ID: String(github.app.id),
    PRIVATE_KEY: github.app.privateKey,
    WEBHOOK_SECRET: github.app.webhookSecret,
    GITHUB_CLIENT_ID: github.app.clientId,
    GITHUB_CLIENT_SECRET: github.app.clientSecret,
    GHE_HOST: github.host,
    GHE_PROTOCOL: "http",
    HOST: "127.0.0.1",
    PORT: String(port),
    PUBLIC_URL: url,
    DATA_DIR: dataDir,
    DASHBOARD_AUTH: "none",
    ALLOWED_REPOSITORIES: "acme/*",
    SANDBOX: await sandbox(),
    ...toolsPath(),
    LOG_LEVEL: "warn",
  };
  const server = spawn(process.execPath, [join(import.meta.dirname, "..", "bin", "signalbox"), "start"], {
    env,
    stdio: ["ignore", log, "inherit"],
  });
  const exited = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  await ready(url, server);
  github.webhooksTo(`${url}/api/github/webhooks`);
  return {
    url,
    process: server,
    async stop() {
      server.kill("SIGTERM");
      await exited;
    },
  };
}

/** The demo alone may choose to do without, and it says so loudly. */
async function sandbox(): Promise<"bubblewrap" | "none"> {
  const probe = await probeSandbox();
  if (probe.works) return "bubblewrap";
  console.log(`
  !  ${probe.problem}
  !  ${probe.fix}
  !  So this demo runs its checks WITHOUT a sandbox. It runs only code of its own; a real server refuses to start like this.
`);
  return "none";
}

/** The checks use the Node that came with npm, unless it stands in /usr, which they see anyway. */
function toolsPath(): { readonly TOOLS_PATHS?: string } {
  const tools = dirname(dirname(process.execPath));
  return tools === "/usr" || tools === "/usr/local" ? {} : { TOOLS_PATHS: tools };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function ready(url: string, server: ChildProcess): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (server.exitCode === null && Date.now() < deadline) {
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(
    server.exitCode === null ? "Signalbox was not ready within 30 s" : "Signalbox did not start; it said why above",
  );
}
