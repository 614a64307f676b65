import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Io } from "../../process/io.ts";
import { failureOf, runInSandbox } from "../in-sandbox.ts";
import type { Work } from "./release.ts";

/**
 * Runs the `restart` of a deployment in a release, in the sandbox, and says what went wrong; null when nothing did. Why it cannot reach the
 * machine's services is told in docs/decisions/0006-restart-stays-in-the-sandbox.md.
 */
export async function restart(
  { destination, options, order }: Work,
  name: string,
  io: Pick<Io, "write" | "stop">,
): Promise<string | null> {
  if (options.restart === undefined) return null;
  const { run } = options.restart;
  const env = { SIGNALBOX_RELEASE: join(destination, "releases", name) };
  const folder = `${order.workspace}.restart`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The way to the release is gone inside the sandbox: bound from outside, a link in its place would open any folder of the machine to it.
  const inRelease = `cd -- "$SIGNALBOX_RELEASE"\n${run}`;
  return failureOf(run, await runInSandbox(inRelease, folder, env, order, io));
}
