import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Outcome } from "../../runs/run.ts";
import type { Teardown } from "../configuration.ts";
import { orderOf } from "../hand-over.ts";
import type { Work } from "../work.ts";

/** Takes a preview away from every place that may hold something of it. Safe to repeat: what is gone already is left out by its target. */
export async function takeDown(work: Work, { because, places }: Teardown, holder: string): Promise<Outcome> {
  const { means, run, io } = work;
  // No checkout, but what targets put beside one has a place; what a crash leaves of it is removed with the workspaces.
  const folder = join(means.settings.dataDir, "work", holder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    for (const { target: name, with: options } of places) {
      io.stop.throwIfAborted();
      const target = means.targets.get(name);
      if (target === undefined) return { kind: "errored", what: `this server has no target "${name}"` };
      if (target.remove === null) return { kind: "failed", what: `"${name}" cannot take a preview down` };
      const step = await io.step(`Take ${run.environment} down`);
      const order = await orderOf(work, { workspace: join(folder, "workspace"), readable: [], options });
      const removed = await target.remove(options, order, io);
      if (removed.kind === "refused") return { kind: "failed", what: removed.reason };
      await step.end(null);
    }
    return { kind: "passed", note: `Taken down: ${because}` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
