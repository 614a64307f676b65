import type { Io } from "../process/io.ts";
import { makeScratch, sandboxed } from "../process/sandbox.ts";
import { type Ending, spawnCommand } from "../process/spawn.ts";
import { type DeployOrder, OperatorProblem } from "./target.ts";

/**
 * Runs a command of the repository in the sandbox, with network and its repository's folders writable; it starts in `folder`, which it may
 * write to. `env` wins over what every command is told. Throws the reason of `stop` when it was ended.
 */
export async function runInSandbox(
  run: string,
  folder: string,
  env: Readonly<Record<string, string>>,
  order: DeployOrder,
  io: Pick<Io, "write" | "stop">,
): Promise<Exclude<Ending, { kind: "stopped" | "missing" }>> {
  // Beside the workspace, with which it is removed.
  const scratch = `${order.workspace}.scratch`;
  await makeScratch(scratch);
  const cell = {
    workspace: folder,
    scratch,
    readable: order.readable,
    writable: order.allowedPaths,
    network: true,
    env: { ...toldTo(order), ...env },
    path: order.path,
    mark: order.mark,
  };
  const ending = await spawnCommand(sandboxed(order.sandbox, cell, ["/bin/sh", "-e", "-c", run]), io);
  switch (ending.kind) {
    case "stopped":
      throw ending.reason;
    case "missing":
      throw new OperatorProblem(`${ending.program} is missing on this machine`, "Install it");
    case "exited":
    case "killed":
      return ending;
  }
}

/** What a command is told of its order; what the environment already says wins. */
export function toldTo({ environment, sha, repository, allowedPaths, env }: DeployOrder): Readonly<Record<string, string>> {
  return {
    SIGNALBOX_ENVIRONMENT: environment,
    SIGNALBOX_SHA: sha,
    SIGNALBOX_REPOSITORY: `${repository.owner}/${repository.name}`,
    SIGNALBOX_SITES: allowedPaths[0],
    ...env,
  };
}

/** A command as a person would name it; at most 60 characters, an ellipsis says that there is more. */
export function titleOf(run: string): string {
  const [first = "", ...more] = run.trim().split("\n");
  const title = more.length > 0 ? `${first.trim()} …` : first;
  return title.length <= 60 ? title : `${title.slice(0, 59).trimEnd()}…`;
}

/** What is said of a command that did not end well; null when it did. */
export function failureOf(run: string, ending: Exclude<Ending, { kind: "stopped" | "missing" }>): string | null {
  switch (ending.kind) {
    case "exited":
      return ending.code === 0 ? null : `${titleOf(run)} exited with ${ending.code}`;
    case "killed":
      return `${titleOf(run)} was killed by ${ending.signal}`;
  }
}
