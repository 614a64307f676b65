import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GitHubStandIn } from "../../demo/github/github.ts";
import { environmentFor, sandbox } from "../support/journey.ts";

/** As `bin/signalbox` does: most of its start is reading our own text. */
const compiled = join(tmpdir(), "signalbox-test-compiled");

/** Runs `bin/signalbox` beside a server of a story, with that server's settings. */
export async function signalbox(
  {
    github,
    folder,
    env = {},
  }: { readonly github: Pick<GitHubStandIn, "app" | "host">; readonly folder: string; readonly env?: object },
  ...words: readonly string[]
): Promise<{ readonly code: number; readonly said: string }> {
  const settings = environmentFor(github, { DATA_DIR: folder, SANDBOX: await sandbox, ...env });
  const options = {
    env: {
      ...settings,
      PATH: process.env.PATH ?? "",
      NODE_OPTIONS: "--disable-warning=ExperimentalWarning",
      NODE_COMPILE_CACHE: compiled,
    },
  };
  const cli = join(import.meta.dirname, "..", "..", "src", "doors", "cli.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...words], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), said: stdout + stderr }),
    );
  });
}
