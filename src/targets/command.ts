import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Io } from "../process/io.ts";
import { makeScratch, sandboxed } from "../process/sandbox.ts";
import { type Ending, spawnCommand } from "../process/spawn.ts";
import { withLock } from "./lock.ts";
import { type Deployed, type DeployOrder, defineTarget, OperatorProblem } from "./target.ts";

const options = z.strictObject({
  run: z
    .string()
    .regex(/\S/, { error: "is empty; write a command" })
    .regex(/^[^\0]*$/, { error: "holds a NUL; remove it" })
    .describe(
      "A text for `/bin/sh -e`, such as `./deploy.sh`. It starts in the built checkout, in the sandbox and with network.",
    ),
});

/**
 * Deploys with a command of the repository, which may write to the built checkout and to the folders of its repository. Two never run at the
 * same time for one environment. Whether a command that failed had already changed something, nobody can tell.
 */
export const command = defineTarget<z.infer<typeof options>>({
  name: "command",
  options,
  deploy: async ({ run }, order, io) => {
    const [own] = order.allowedPaths;
    await mkdir(own, { recursive: true });
    const waits = () => io.write(Buffer.from(`Waiting for the deployment to ${order.environment} that is under way.\n`));
    return withLock(join(own, lockName(order.environment)), io.stop, waits, async () => {
      const ending = await runOnce(run, order, io);
      if (ending.kind === "stopped") throw ending.reason;
      return endingOf(run, ending);
    });
  },
});

/** Our own means against a server that lost its lease, or a program of a repository that names an environment like a path. */
function lockName(environment: string): string {
  return `.lock-${createHash("sha256").update(environment).digest("hex").slice(0, 16)}`;
}

async function runOnce(run: string, order: DeployOrder, io: Io): Promise<Ending> {
  const { workspace, readable, path, allowedPaths, mark } = order;
  // Beside the workspace, with which it is removed.
  const scratch = `${workspace}.scratch`;
  await makeScratch(scratch);
  const cell = { workspace, scratch, readable, writable: allowedPaths, network: true, env: environmentOf(order), path, mark };
  return spawnCommand(sandboxed(order.sandbox, cell, ["/bin/sh", "-e", "-c", run]), io);
}

/** What the command is told of its order. */
function environmentOf({ environment, sha, repository, allowedPaths, env }: DeployOrder): Readonly<Record<string, string>> {
  return {
    SIGNALBOX_ENVIRONMENT: environment,
    SIGNALBOX_SHA: sha,
    SIGNALBOX_REPOSITORY: `${repository.owner}/${repository.name}`,
    SIGNALBOX_SITES: allowedPaths[0],
    ...env,
  };
}

function endingOf(run: string, ending: Exclude<Ending, { kind: "stopped" }>): Deployed {
  switch (ending.kind) {
    case "exited":
      if (ending.code === 0) return { kind: "live", release: null };
      return { kind: "refused", reason: `${titleOf(run)} exited with ${ending.code}`, live: "unknown" };
    case "killed":
      return { kind: "refused", reason: `${titleOf(run)} was killed by ${ending.signal}`, live: "unknown" };
    case "missing":
      throw new OperatorProblem(`${ending.program} is missing on this machine`, "Install it");
  }
}

/** The command as a person would name it; at most 60 characters, an ellipsis says that there is more. */
function titleOf(run: string): string {
  const [first = "", ...more] = run.trim().split("\n");
  const title = more.length > 0 ? `${first.trim()} …` : first;
  return title.length <= 60 ? title : `${title.slice(0, 59).trimEnd()}…`;
}
