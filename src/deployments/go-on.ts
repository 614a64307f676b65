import { renderOptions } from "../repository-file/template.ts";
import type { Deployed } from "../targets/target.ts";
import { withoutCheckout } from "./without-checkout.ts";
import type { Work } from "./work.ts";

/** Goes on with what an earlier attempt had begun elsewhere, without checking out or building again; `null` when there is nothing to go on with. */
export async function goOn(work: Work, holder: string): Promise<Deployed | null> {
  const { run, configuration, target, facts, io } = work;
  const { remembered } = run;
  const { resume } = target;
  if (remembered === null || resume === null) return null;
  return withoutCheckout(work, holder, async (order) => {
    const step = await io.step(`Go on with the deployment to ${run.environment}`);
    const deployed = await resume(renderOptions(configuration.plan.with, facts), remembered, order, io);
    await step.end(null);
    return deployed;
  });
}
