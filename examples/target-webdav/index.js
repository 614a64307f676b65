import { createHash } from "node:crypto";
import { filesOf } from "./files.js";
import { Refused, webdavServer } from "./server.js";

/**
 * Deploys to a WebDAV server: a release is put below `releases/`, copied to `current.next`, and moved to `current` in one step. Signalbox
 * hands in what a plug-in needs; docs/writing-a-target.md has the rules that a target keeps to.
 */
export default function webdav({ defineTarget, z }) {
  return defineTarget({
    name: "webdav",
    options: z.strictObject({
      url: z.url({ protocol: /^https?$/ }).describe("The folder on the server."),
      user: z.string().min(1).describe("Who writes there."),
      password: z.string().min(1).describe("The name of the secret that holds the password."),
      from: z.string().min(1).default(".").describe("A folder of the built checkout."),
    }),

    deploy: (options, order, io) =>
      atServer(options, order, io, async (server) => {
        const files = await filesOf(order.workspace, options.from);
        if (typeof files === "string") throw new Refused(files);
        const release = nameOf(order);
        await say(io, `Putting ${files.length} files and folders to ${release}`);
        for (const folder of ["releases", release]) await server.makeFolder(folder, io.stop);
        for (const file of files) {
          const path = `${release}/${file.name}`;
          await (file.kind === "folder" ? server.makeFolder(path, io.stop) : server.put(path, file, io.stop));
        }
        return switchTo(server, release, io);
      }),

    restore: (options, release, order, io) =>
      atServer(options, order, io, async (server) => {
        const name = Object(release).name;
        const isOurs = typeof name === "string" && /^releases\/[0-9a-f]{12}-[0-9a-f]{12}$/.test(name);
        if (!isOurs || !(await server.has(name, io.stop)))
          throw new Refused("the release is not there any more; deploy its commit again");
        return switchTo(server, name, io);
      }),

    // Every request may be repeated, so nothing has to be found again: the deployment begins anew.
    resume: async () => null,
  });
}

/** The same for the same run, so that a second attempt writes over what the first has left. */
function nameOf({ sha, run }) {
  return `releases/${sha.slice(0, 12)}-${createHash("sha256").update(run).digest("hex").slice(0, 12)}`;
}

async function switchTo(server, release, io) {
  await server.copy(release, "current.next", io.stop);
  io.stop.throwIfAborted();
  await server.move("current.next", "current");
  return { kind: "live", release: { name: release } };
}

/** Works alone, with the password, and says what was refused. */
async function atServer({ url, user, password: name }, order, io, work) {
  const password = await order.secret(name);
  if (password === null) return { kind: "refused", reason: `the secret ${name} is not set`, live: "unchanged" };
  return order.alone(io, async () => {
    // From here on a server that dies is followed by one that begins anew, instead of losing the deployment.
    await io.remember({ run: order.run });
    try {
      return await work(webdavServer({ url, user, password, fetch: order.fetch }));
    } catch (error) {
      if (error instanceof Refused) return { kind: "refused", reason: error.message, live: "unchanged" };
      throw error;
    }
  });
}

async function say(io, text) {
  await io.write(Buffer.from(`${text}\n`));
}
