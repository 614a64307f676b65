import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { failureOf, runInSandbox } from "./in-sandbox.ts";
import { withLock } from "./lock.ts";
import { commandText } from "./release/options.ts";
import { defineTarget, missingSecret, secretName } from "./target.ts";

const options = z.strictObject({
  run: commandText.describe(
    "A text for `/bin/sh -e`, such as `./deploy.sh`. It starts in the built checkout, in the sandbox and with network.",
  ),
  secrets: z
    .array(
      secretName.regex(/^(?!SIGNALBOX_|PATH$|HOME$|TMPDIR$)/, {
        error: "is a variable that the command needs; rename the secret",
      }),
    )
    .max(50)
    .default([])
    .describe("Names of secrets, which the command finds in environment variables of the same names."),
});

/**
 * Deploys with a command of the repository, which may write to the built checkout and to the folders of its repository. Two never run at the
 * same time for one environment. Whether a command that failed had already changed something, nobody can tell.
 */
export const command = defineTarget<z.infer<typeof options>>({
  name: "command",
  options,
  deploy: async ({ run, secrets }, order, io) => {
    const values: Record<string, string> = {};
    for (const name of secrets) {
      const value = await order.secret(name);
      if (value === null) return missingSecret(name, order);
      values[name] = value;
    }
    const [own] = order.allowedPaths;
    await mkdir(own, { recursive: true });
    const waits = () => io.write(Buffer.from(`Waiting for the deployment to ${order.environment} that is under way.\n`));
    return withLock(join(own, lockName(order.environment)), io.stop, waits, async () => {
      const failure = failureOf(run, await runInSandbox(run, order.workspace, values, order, io));
      return failure === null ? { kind: "live", release: null } : { kind: "refused", reason: failure, live: "unknown" };
    });
  },
});

/** Our own means against a server that lost its lease, or a program of a repository that names an environment like a path. */
function lockName(environment: string): string {
  return `.lock-${createHash("sha256").update(environment).digest("hex").slice(0, 16)}`;
}
