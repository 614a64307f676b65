import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { renderOptions } from "../repository-file/template.ts";
import { short } from "../runs/sentences.ts";
import type { Deployed } from "../targets/target.ts";
import type { PutBack } from "./configuration.ts";
import { orderOf } from "./hand-over.ts";
import type { Work } from "./work.ts";

/** Puts back a release as it was, without a checkout; `null` when it has to be made again from its commit. */
export async function restore(work: Work, { target: before, release }: PutBack, holder: string): Promise<Deployed | null> {
  const { means, run, configuration, target, facts, io } = work;
  if (target.restore === null || before !== target.name || release === null) return null;
  // No checkout, but what targets put beside one has a place; what a crash leaves of it is removed with the workspaces.
  const folder = join(means.settings.dataDir, "work", holder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const step = await io.step(`Put ${short(run.sha)} back`);
    const order = orderOf(work, { workspace: join(folder, "workspace"), readable: [] });
    const restored = await target.restore(renderOptions(configuration.plan.with, facts), release, order, io);
    await step.end(null);
    if (restored.kind === "live" || restored.live === "unknown") return restored;
    await io.write(Buffer.from(`It cannot be put back: ${restored.reason}\nIts commit is deployed again.\n`));
    return null;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
