import { makeScratch, sandboxed } from "../process/sandbox.ts";
import { spawnCommand } from "../process/spawn.ts";
import type { Workspace } from "../process/workspace.ts";
import type { Outcome } from "../runs/run.ts";
import { environmentOf } from "./hand-over.ts";
import type { Work } from "./work.ts";

/** Runs `build:` in the sandbox, where it finds no secret; `null` when it succeeded or there is none. */
export async function build(work: Work, workspace: Workspace): Promise<Outcome | null> {
  const { means, io, configuration } = work;
  const command = configuration.plan.build;
  if (command === null) return null;
  const step = await io.step("Build");
  const scratch = `${workspace.folder}.home`;
  await makeScratch(scratch);
  const cell = {
    workspace: workspace.folder,
    scratch,
    readable: [workspace.objects, ...means.toolsPaths],
    writable: [],
    network: true,
    env: environmentOf(work),
    path: means.toolsPaths.map((folder) => `${folder}/bin`),
    mark: means.mark,
  };
  const ending = await spawnCommand(sandboxed(means.sandbox, cell, ["/bin/sh", "-e", "-c", command]), io);
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
