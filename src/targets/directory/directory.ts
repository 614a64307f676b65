import { isAbsolute } from "node:path";
import { z } from "zod";
import type { Io } from "../../process/io.ts";
import { withLock } from "../lock.ts";
import { rememberedName } from "../release/names.ts";
import { commandText, releaseOptions } from "../release/options.ts";
import { staysWithin } from "../release/paths.ts";
import { Refusal } from "../release/refusal.ts";
import { withShared } from "../release/shared.ts";
import { survey } from "../release/tree.ts";
import { type DeployOrder, defineTarget, type Refused } from "../target.ts";
import type { Folder } from "./folder.ts";
import { destinationOf } from "./plan.ts";
import { explained } from "./problems.ts";
import { deployTo, restoreAt } from "./release.ts";
import { openSite } from "./site.ts";
import { isStillAt, takeAway } from "./take-away.ts";

const options = z.strictObject({
  path: z
    .string()
    .min(1, { error: "is empty; name a folder" })
    .refine((path) => isAbsolute(path) || staysWithin(path), {
      error:
        "leads out of the repository's own folder; leave out what goes up, or write an absolute path below the server's DEPLOY_PATHS",
    })
    .describe(
      "The folder that holds `releases`, `shared` and `current`: relative to `DATA_DIR/sites/OWNER/REPO`, or absolute below the server's `DEPLOY_PATHS`.",
    ),
  ...releaseOptions,
  restart: z
    .strictObject({ run: commandText })
    .optional()
    .describe(
      "`{ run: … }`: a command after each switch, in the new release. It runs in the sandbox like the target `command`, so it cannot speak to the machine's service manager. When it fails, the release before is put back.",
    ),
});

/** What a deployment to a folder was asked for. */
export type DirectoryOptions = z.infer<typeof options>;

/**
 * Deploys by copying to a folder of this machine, in Capistrano's layout (https://capistranorb.com/documentation/getting-started/structure/):
 * a release is built under a name of its own in `releases`, and `current` is a link that is switched to it in one step. Deployments to one
 * folder happen one after the other, by a lock that dies with its holder. The same commit again is a new release.
 */
export const directory = defineTarget<DirectoryOptions>({
  name: "directory",
  options,
  deploy: ({ from = ".", ...options }, order, io) =>
    refusing(options.path, async () => {
      const destination = destinationOf(options.path, order);
      const tree = withShared(await survey(order.workspace, from, io.stop), options.shared);
      return atSite(destination, options.path, order, io, (site) => deployTo({ site, destination, options, order, io }, tree));
    }),
  restore: (options, release, order, io) =>
    refusing(options.path, async () => {
      const name = rememberedName(release);
      if (name === null) throw new Refusal("what was live is no release of a folder; deploy its commit again");
      const destination = destinationOf(options.path, order);
      return atSite(destination, options.path, order, io, (site) => restoreAt({ site, destination, options, order, io }, name));
    }),
  remove: ({ path }, order, io) =>
    refusing(path, async () => {
      const destination = destinationOf(path, order);
      return atSite(destination, path, order, io, (site) => takeAway(site, { destination, path, io }));
    }),
});

async function atSite<Result>(
  destination: string,
  path: string,
  order: DeployOrder,
  io: Io,
  work: (site: Folder) => Promise<Result>,
): Promise<Result> {
  const waits = () => io.write(Buffer.from("Waiting for another deployment to the same folder.\n"));
  for (;;) {
    await using site = await openSite(destination, path, order);
    const done = await withLock(site.at(".lock"), io.stop, waits, async () =>
      // Whoever had the lock before may have taken the whole site away.
      (await isStillAt(site, destination)) ? { result: await work(site) } : null,
    );
    if (done !== null) return done.result;
  }
}

async function refusing<Result>(path: string, work: () => Promise<Result>): Promise<Result | Refused> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return { kind: "refused", reason: error.message, live: "unchanged" };
    throw explained(error, path);
  }
}
