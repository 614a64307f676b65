import { makeScratch, sandboxed } from "../process/sandbox.ts";
import { spawnCommand } from "../process/spawn.ts";
import type { Workspace } from "../process/workspace.ts";
import type { Outcome } from "../runs/run.ts";
import type { Step } from "../runs/steps.ts";
import type { ArtefactKey } from "./artefacts.ts";
import { builtBefore } from "./built-before.ts";
import { commitEnvironment } from "./hand-over.ts";
import type { Work } from "./work.ts";

/**
 * Has the workspace built by `build:`, in the sandbox, where it finds no secret, and is not told for which environment: what it made is kept, and
 * used wherever the same commit is built by the same command. `null` when it succeeded or there is none.
 */
export async function build(work: Work, workspace: Workspace): Promise<Outcome | null> {
  const { means, io, configuration, run } = work;
  const command = configuration.plan.build;
  if (command === null) return null;
  const { toolsPaths, artefacts } = means;
  const key = { repository: run.repository, sha: run.sha, command, toolsPaths, env: commitEnvironment(work) };
  const step = await io.step("Build");
  const say = (sentence: string) => io.write(Buffer.from(`${sentence}\n`));
  const waits = () => say("Waiting for the same build, which another deployment of this commit has under way.");
  return artefacts.inTurn(key, io.stop, waits, async () => {
    if (await artefacts.restore(key, workspace.folder, io.stop)) {
      await say("This commit was built by the same command before: what was made then is used.");
      await step.end(null);
      return null;
    }
    if (await builtBefore(means.database, run, command))
      await say("It was built before, but what was made is not kept on this machine, so it is built again.");
    const failed = await runBuild(work, workspace, key, step);
    if (failed === null) await keep(work, workspace, key);
    return failed;
  });
}

async function runBuild(work: Work, workspace: Workspace, key: ArtefactKey, step: Step): Promise<Outcome | null> {
  const { means, io } = work;
  const scratch = `${workspace.folder}.home`;
  await makeScratch(scratch);
  const cell = {
    workspace: workspace.folder,
    scratch,
    readable: [workspace.objects, ...means.toolsPaths],
    writable: [],
    network: true,
    env: key.env,
    path: means.toolsPaths.map((folder) => `${folder}/bin`),
    mark: means.mark,
  };
  const ending = await spawnCommand(sandboxed(means.sandbox, cell, ["/bin/sh", "-e", "-c", key.command]), io);
  await step.end(ending.kind === "exited" ? ending.code : null);
  switch (ending.kind) {
    case "exited":
      return ending.code === 0 ? null : { kind: "failed", what: `the build exited with ${ending.code}`, exitCode: ending.code };
    case "killed":
      return { kind: "failed", what: `the build was killed by ${ending.signal}` };
    case "missing":
      return { kind: "errored", what: `${ending.program} is not installed on the server` };
    case "stopped":
      throw ending.reason;
  }
}

/** Best effort: without it the next environment builds again. */
async function keep({ means, io }: Work, { folder }: Workspace, key: ArtefactKey): Promise<void> {
  const say = (sentence: string) => io.write(Buffer.from(`${sentence}\n`));
  try {
    const kept = await means.artefacts.keep(key, folder, io.stop);
    if (kept !== "kept") await say("What was built is too large to be kept: the next environment builds it again.");
  } catch (error) {
    io.stop.throwIfAborted();
    await say(
      `What was built could not be kept: the next environment builds it again. ${Error.isError(error) ? error.message : ""}`,
    );
  }
}
