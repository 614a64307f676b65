import { mkdir } from "node:fs/promises";
import { z } from "zod";
import type { Io } from "../process/io.ts";
import { failureOf, runInSandbox } from "./in-sandbox.ts";
import { commandText } from "./release/options.ts";
import {
  type Deployed,
  type DeployOrder,
  defineTarget,
  missingSecret,
  type Refused,
  type Removed,
  secretName,
} from "./target.ts";

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
  remove: z
    .strictObject({ run: commandText })
    .optional()
    .describe(
      "`{ run: … }`: a command that takes a preview down, needed with `trigger: pull_request`. It starts in an empty folder, since the commit may be gone by then, and finds the same secrets and variables; it may be called again for what is gone already.",
    ),
});

type Options = z.infer<typeof options>;

/**
 * Deploys with a command of the repository, which may write to the built checkout and to the folders of its repository. Two never run at the
 * same time for one environment. Whether a command that failed had already changed something, nobody can tell.
 */
export const command = defineTarget<Options>({
  name: "command",
  options,
  previewOptions: options.required({ remove: true }),
  deploy: (options, order, io) =>
    alone(options, order, io, async (values): Promise<Deployed> => {
      const failure = failureOf(options.run, await runInSandbox(options.run, order.workspace, values, order, io));
      return failure === null ? { kind: "live", release: null } : { kind: "refused", reason: failure, live: "unknown" };
    }),
  remove: async ({ remove, ...options }, order, io) => {
    if (remove === undefined) return { kind: "refused", reason: "with.remove is missing: nobody knows how to take this down" };
    const folder = `${order.workspace}.remove`;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return alone(options, order, io, async (values): Promise<Removed> => {
      const failure = failureOf(remove.run, await runInSandbox(remove.run, folder, values, order, io));
      return failure === null ? { kind: "removed" } : { kind: "refused", reason: failure };
    });
  },
});

/** Does the work with the values of the secrets, while nothing else works for this environment. */
async function alone<Result>(
  { secrets }: Pick<Options, "secrets">,
  order: DeployOrder,
  io: Io,
  work: (values: Readonly<Record<string, string>>) => Promise<Result>,
): Promise<Result | Refused> {
  const values: Record<string, string> = {};
  for (const name of secrets) {
    const value = await order.secret(name);
    if (value === null) return missingSecret(name, order);
    values[name] = value;
  }
  return order.alone(io, () => work(values));
}
