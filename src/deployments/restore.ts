import { renderOptions } from "../repository-file/template.ts";
import { short } from "../runs/sentences.ts";
import type { Deployed } from "../targets/target.ts";
import type { PutBack } from "./configuration.ts";
import { withoutCheckout } from "./without-checkout.ts";
import type { Work } from "./work.ts";

/** Puts back a release as it was, without a checkout; `null` when it has to be made again from its commit. */
export async function restore(work: Work, { target: before, release }: PutBack, holder: string): Promise<Deployed | null> {
  const { run, configuration, target, facts, io } = work;
  const { restore: putBack } = target;
  if (putBack === null || before !== target.name || release === null) return null;
  return withoutCheckout(work, holder, async (order) => {
    const step = await io.step(`Put ${short(run.sha)} back`);
    const restored = await putBack(renderOptions(configuration.plan.with, facts), release, order, io);
    await step.end(null);
    return unlessItsCommitIsDeployed(restored, work);
  });
}

/** What could not be put back is made again from its commit: `null` then. */
export async function unlessItsCommitIsDeployed(restored: Deployed, { io }: Work): Promise<Deployed | null> {
  if (restored.kind === "live" || restored.live === "unknown") return restored;
  await io.write(Buffer.from(`It cannot be put back: ${restored.reason}\nIts commit is deployed again.\n`));
  return null;
}
