import { z } from "zod";
import type { Io } from "../../process/io.ts";
import { withLock } from "../lock.ts";
import { type Deployed, type DeployOrder, defineTarget } from "../target.ts";
import { copyTree } from "./copy.ts";
import type { Folder } from "./folder.ts";
import { destinationOf, releaseName, releasesToRemove } from "./plan.ts";
import { Refusal } from "./refusal.ts";
import { entriesOf, finishRelease, openReleases, openSite, remove, removeRelease, switchTo } from "./site.ts";
import { survey, type Tree } from "./source.ts";
import { explained, sayAmount } from "./wording.ts";

const options = z.strictObject({
  path: z
    .string()
    .min(1, { error: "is empty; name a folder" })
    .describe(
      "The folder that holds `releases` and `current`: relative to `DATA_DIR/sites/OWNER/REPO`, or absolute below the server's `DEPLOY_PATHS`.",
    ),
  from: z
    .string()
    .min(1, { error: "is empty; name a folder, or leave it out" })
    .optional()
    .describe("A folder of the built checkout. Without it: all of it but `.git`."),
  keep: z.int().min(1).max(100).default(5).describe("How many releases are kept, the current one included."),
});

/**
 * Deploys by copying to a folder of this machine, in Capistrano's layout (https://capistranorb.com/documentation/getting-started/structure/):
 * a release is built under a name of its own in `releases`, and `current` is a link that is switched to it in one step. Deployments to one
 * folder happen one after the other, by a lock that dies with its holder. The same commit again is a new release.
 */
export const directory = defineTarget<z.infer<typeof options>>({
  name: "directory",
  options,
  deploy: async ({ path, from = ".", keep }, order, io) => {
    try {
      const destination = destinationOf(path, order);
      const tree = await survey(order.workspace, from, io.stop);
      await using site = await openSite(destination, path, order);
      const waits = () => say(io, "Waiting for another deployment to the same folder.");
      return await withLock(site.at(".lock"), io.stop, waits, () => deployTo(site, tree, keep, order, io));
    } catch (error) {
      if (error instanceof Refusal) return { kind: "refused", reason: error.message, live: "unchanged" };
      throw explained(error, path);
    }
  },
});

async function deployTo(site: Folder, tree: Tree, keep: number, order: DeployOrder, io: Io): Promise<Deployed> {
  await using releases = await openReleases(site);
  const existing = await entriesOf(releases);
  for (const leftover of existing.filter((name) => name.startsWith(".part-"))) await remove(releases, leftover);

  const name = releaseName(order.sha, new Date(), existing);
  const part = `.part-${name}`;
  try {
    await using folder = await releases.make(part);
    await copyTree(tree, folder, io.stop);
    await say(io, `Copied ${sayAmount(tree)} to releases/${name}.`);
    io.stop.throwIfAborted();
    await finishRelease(releases, part, name);
    await switchTo(site, name);
  } catch (error) {
    for (const half of [part, name]) await remove(releases, half);
    throw error;
  }
  // From here on the release is live, whatever happens to the rest.
  await say(io, `current now points at releases/${name}.`);
  for (const old of releasesToRemove(existing, name, keep)) {
    if (!(await removeRelease(releases, old))) await say(io, `releases/${old} could not be removed.`);
  }
  return { kind: "live", release: { path: `releases/${name}` } };
}

async function say(io: Io, sentence: string): Promise<void> {
  await io.write(Buffer.from(`${sentence}\n`));
}
