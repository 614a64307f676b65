import { z } from "zod";
import { makeScratch, sandboxed } from "../../process/sandbox.ts";
import { spawnCommand } from "../../process/spawn.ts";
import { type CheckEnding, type CheckIo, defineRunner, type Workplace } from "../runner.ts";
import { timedOut } from "../timeout.ts";
import { keepFolders, restoreFolders } from "./cache.ts";
import { createOutputReader, type MaskBudget, usualMaskBudget } from "./output-reader.ts";
import { endingOfStep, titleOf } from "./wording.ts";

const options = z.strictObject({
  steps: z
    .array(
      z.strictObject({
        name: z.string().nullable().describe("What the log calls it; null for a check with one text."),
        run: z
          .string()
          .regex(/^[^\0]*$/, { error: "holds a NUL; remove it" })
          .describe("A text for `/bin/sh -e`."),
      }),
    )
    .min(1)
    .describe("What is run, one after the other, until one fails."),
  cache: z
    .array(z.string())
    .default([])
    .describe("Folders that a passed run leaves to the next: relative to the workspace, or to HOME with a leading `~/`."),
});

/**
 * Runs a check's steps on this machine. Each is a sandbox of its own, so that nothing it started lives on; the workspace and HOME are the same
 * for all of them. `sh -e`, as GitHub's `run:` has it: a line that fails ends its step
 * (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#exit-codes-and-error-action-preference).
 */
export const local = defineRunner<z.infer<typeof options>>({
  name: "local",
  options,
  run: async ({ steps, cache: paths }, order, io) => {
    io.stop.throwIfAborted();
    const place = await order.checkOut();
    // Beside the workspace, with which it is removed.
    const scratch = `${place.workspace}.scratch`;
    const env = { CI: "true", SIGNALBOX: "true", ...order.facts, ...order.env };
    const { workspace, cache } = place;
    const folders = cache && paths.length > 0 ? { cache, paths, workspace, home: `${scratch}/home` } : null;
    await makeScratch(scratch);
    if (folders) await restoreFolders(folders, io);
    // Fetching the commit is GitHub's time, not the check's, and copying what was kept is ours.
    const clock = AbortSignal.timeout(order.timeout);
    const stop = AbortSignal.any([io.stop, clock]);
    const masks = usualMaskBudget();
    try {
      for (const step of steps) {
        stop.throwIfAborted();
        const ending = await runStep(step, { place, scratch, env, network: order.trust === "own", io, masks, stop });
        if (ending.kind !== "passed") return ending;
      }
    } catch (error) {
      if (!clock.aborted || error !== clock.reason) throw error;
      return timedOut(order.timeout);
    }
    if (folders) await keepFolders(folders, io);
    return { kind: "passed" };
  },
});

interface Surroundings {
  readonly place: Workplace;
  readonly scratch: string;
  readonly env: Readonly<Record<string, string>>;
  readonly network: boolean;
  readonly io: CheckIo;
  readonly masks: MaskBudget;
  readonly stop: AbortSignal;
}

async function runStep(
  step: { readonly name: string | null; readonly run: string },
  { place, scratch, env, network, io, masks, stop }: Surroundings,
): Promise<CheckEnding> {
  const title = titleOf(step);
  const { workspace, root, readable, path, sandbox, mark } = place;
  const cell = { workspace, root, scratch, readable, writable: [], network, env, path, mark };
  const log = await io.step(title);
  const reader = createOutputReader(io.conceal, masks);
  const ending = await spawnCommand(sandboxed(sandbox, cell, ["/bin/sh", "-e", "-c", step.run]), {
    write: (output) => io.write(reader.take(output)),
    stop,
  });
  await io.write(reader.end());
  await log.end(ending.kind === "exited" ? ending.code : null);
  if (ending.kind === "stopped") throw ending.reason;
  return endingOfStep(title, ending, reader.firstError());
}
