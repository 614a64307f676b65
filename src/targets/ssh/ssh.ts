import { z } from "zod";
import type { Io } from "../../process/io.ts";
import { entriesOf } from "../release/entries.ts";
import { rememberedName } from "../release/names.ts";
import { commandText, releaseOptions } from "../release/options.ts";
import { Refusal } from "../release/refusal.ts";
import { withShared } from "../release/shared.ts";
import { survey } from "../release/tree.ts";
import { type Deployed, type DeployOrder, defineTarget, missingSecret, type Refused, secretName } from "../target.ts";
import { openAccess } from "./access.ts";
import { type Destination, destinationOf, destinationText } from "./destination.ts";
import { healthOptions } from "./health.ts";
import type { Content, Means } from "./host.ts";
import { manifestOf, pack } from "./manifest.ts";
import { type RollOut, rollOut } from "./roll-out.ts";
import { takeAway } from "./take-away.ts";

const options = z
  .strictObject({
    host: destinationText.optional().describe("The server: `user@host` or `user@host:port`. This or `hosts`."),
    hosts: z
      .array(destinationText)
      .min(1)
      .max(50)
      .optional()
      .describe("Several servers, in the order in which they are switched."),
    path: z
      .string()
      .min(1, { error: "is empty; name a folder" })
      .regex(/^[^~\0\n][^\0\n]*$/, {
        error: "must be a folder, absolute or relative to the home folder of the user there, without ~",
      })
      .describe(
        "The folder on the server that holds `releases`, `shared` and `current`: absolute, or relative to the home folder of the user there.",
      ),
    key: secretName.describe("The name of the secret that holds the private key, which has no passphrase."),
    known_hosts: z
      .string()
      .max(65_536)
      .default("")
      .describe(
        "Lines for ssh's `known_hosts`, besides those of the operator's file `known_hosts` in `DATA_DIR`. A host key that is in neither is refused.",
      ),
    ...releaseOptions,
    restart: z
      .strictObject({ run: commandText })
      .optional()
      .describe(
        "`{ run: … }`: a command on each server after its switch, in the new release. When it fails, the release before is put back everywhere.",
      ),
    health: healthOptions
      .optional()
      .describe(
        "`{ run: …, within: 60s }`: a command on each server after its switch and restart, in the new release, asked every second until it succeeds; only then is the next batch switched. When it does not in time, the release before is put back everywhere. The `health` of the environment is asked when all are switched.",
      ),
    batch: z.int().min(1).max(50).default(1).describe("How many servers are switched at once."),
  })
  .superRefine(({ host, hosts }, context) => {
    if ((host === undefined) === (hosts === undefined))
      context.addIssue({
        code: "custom",
        path: ["host"],
        message: host === undefined ? "is missing; name a server" : "is beside hosts; use one of them",
      });
    const names = hosts ?? [];
    for (const [index, name] of names.entries())
      if (names.indexOf(name) < index) context.addIssue({ code: "custom", path: ["hosts", index], message: "is there twice" });
  });

type Options = z.infer<typeof options>;

/**
 * Deploys to servers over ssh, in the layout of the target `directory`, sending only what changed since the last release. A server that is
 * switched goes on only when all of them are: until then the end of its connection, whatever its cause, puts back what was live.
 * Deployments to one folder happen one after the other, by a lock on the server.
 */
export const ssh = defineTarget<Options>({
  name: "ssh",
  options,
  deploy: (options, order, io) => refusing(() => atServers(options, () => contentOf(options, order, io), order, io)),
  restore: (options, release, order, io) =>
    refusing(async () => {
      const name = rememberedName(release);
      if (name === null) throw new Refusal("what was live is no release on a server; deploy its commit again");
      return atServers(options, async () => name, order, io);
    }),
  remove: (options, order, io) =>
    refusing(() => withMeans(options, order, io, (destinations, means) => takeAway(destinations, means, io))),
});

async function contentOf({ from = ".", shared }: Options, order: DeployOrder, io: Io): Promise<Content> {
  const entries = entriesOf(withShared(await survey(order.workspace, from, io.stop), shared));
  const made = manifestOf(entries, io.stop).then(async (manifest) => ({ manifest, packed: await pack(manifest) }));
  // It may fail before anybody waits for it.
  made.catch(() => {});
  return { entries, made };
}

function atServers(options: Options, release: RollOut["release"], order: DeployOrder, io: Io): Promise<Deployed> {
  const { batch, keep } = options;
  const restart = options.restart?.run ?? null;
  return withMeans(options, order, io, (destinations, means) =>
    rollOut({ destinations, means, release, batch, restart, health: options.health ?? null, keep, io }),
  );
}

async function withMeans<Result>(
  options: Options,
  order: DeployOrder,
  io: Io,
  work: (destinations: readonly Destination[], means: Means) => Promise<Result>,
): Promise<Result | Refused> {
  const key = await order.secret(options.key);
  if (key === null) return missingSecret(options.key, order);
  await using access = await openAccess(order, { key, knownHosts: options.known_hosts });
  const { path, shared } = options;
  const destinations = (options.hosts ?? [options.host ?? ""]).map(destinationOf);
  return await work(destinations, { path, shared, key: options.key, access, order, io });
}

async function refusing<Result>(work: () => Promise<Result>): Promise<Result | Refused> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return { kind: "refused", reason: error.message, live: "unchanged" };
    throw error;
  }
}
