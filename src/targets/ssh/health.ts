import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { titleOf } from "../in-sandbox.ts";
import { commandText } from "../release/options.ts";
import { Refusal } from "../release/refusal.ts";
import type { Host } from "./host.ts";

/** Between two tries, in milliseconds. */
const pause = 1_000;

const form = /^([1-9][0-9]{0,3})([sm])$/;

export const healthOptions = z.strictObject({
  run: commandText,
  within: z.string().regex(form, { error: "is not a duration; write a number and s or m, such as 30s" }).default("60s"),
});

export type ServerHealth = z.infer<typeof healthOptions>;

/**
 * Has a server ask itself every second until its command succeeds in the release that is live there now; a refusal when it does not in time,
 * however long one try takes. Ends with the reason of `stop`.
 */
export async function untilHealthy(host: Host, release: string, { run, within }: ServerHealth, stop: AbortSignal): Promise<void> {
  const deadline = performance.now() + millisecondsOf(within);
  for (;;) {
    const left = deadline - performance.now();
    const status = await inTime(host.check(release, run), left);
    if (status === 0) return;
    if (status === "late" || left <= pause) {
      const how = status === "late" ? "did not end" : `exited with ${status}`;
      throw new Refusal(`${titleOf(run)} ${how} on ${host.destination.name}, which was not healthy within ${within}`);
    }
    await wait(pause, undefined, { signal: stop });
  }
}

/** One that hangs is given up: the end of the connection ends it there. */
async function inTime(check: Promise<number>, milliseconds: number): Promise<number | "late"> {
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(late.resolve, Math.max(0, milliseconds), "late");
  check.catch(() => {});
  return Promise.race([check, late.promise]).finally(() => clearTimeout(timer));
}

function millisecondsOf(within: string): number {
  const [, number, unit] = form.exec(within) ?? [];
  return Number(number) * (unit === "m" ? 60_000 : 1_000);
}
