import { randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, rename, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { FoundImage, ImageEngine } from "./image-engine.ts";
import { ImageProblem } from "./image-problem.ts";
import type { ImageRoot } from "./image-root.ts";
import { removeTree } from "./remove-tree.ts";
import { makeScratch, type Sandbox, sandboxed } from "./sandbox.ts";
import { spawnCommand } from "./spawn.ts";
import { turns } from "./turns.ts";

/** Images of containers as root file systems of the sandbox. All calls may be made at once and repeated. */
export interface Images {
  /** Finds an image, pulled where this machine has none of that name, with its files unpacked. Rejects with `ImageProblem`, with what `mayPull` threw, or with the reason of `stop`. */
  enter(name: string, stop: AbortSignal): Promise<EnteredImage>;
  /** Removes what a dead server left half done. Call it before anything runs. */
  clear(): Promise<void>;
}

export interface EnteredImage extends ImageRoot {
  /** The name by which anybody gets the very same image. */
  readonly pinned: string;
  /** Its files stay until then; safe to repeat. */
  leave(): void;
}

export interface ImageMeans {
  /** Null where the machine has none. Asked once, when an image is wanted, or at start where images were used before. */
  readonly findEngine: () => Promise<ImageEngine | null>;
  readonly sandbox: Sandbox;
  /** Where the files are kept; made when needed. */
  readonly folder: string;
  readonly mark: Readonly<Record<string, string>>;
  /** Rejects when a registry must not be asked; its name comes from a repository's file. */
  mayPull(registry: string, stop: AbortSignal): Promise<void>;
}

/** So many stay unpacked; beyond it, what was not used for longest goes. */
const mostKept = 10;
/** For bringing and unpacking one, in milliseconds. */
const patience = 30 * 60_000;
/** The "registry" of what was built on this machine. */
const onlyHere = "localhost";

export function openImages({ findEngine, sandbox, folder, mark, mayPull }: ImageMeans): Images {
  const inTurn = turns<string>();
  const users = new Map<string, number>();
  let finding: Promise<ImageEngine | null> | null = null;
  const theOneEngine = () => {
    finding ??= findEngine();
    return finding;
  };

  async function found(name: string, theEngine: ImageEngine, stop: AbortSignal): Promise<FoundImage> {
    const here = await theEngine.find(name, stop);
    if (here !== null) return here;
    const [registry = ""] = name.split("/");
    if (registry === onlyHere)
      throw new ImageProblem(`the image ${name} is not on this machine`, { fix: `Build it there with ${theEngine.kind}` });
    await mayPull(registry, stop);
    await theEngine.pull(name, stop);
    const pulled = await theEngine.find(name, stop);
    if (pulled === null) throw new ImageProblem(`${theEngine.kind} does not know the image ${name} that it has just brought`);
    return pulled;
  }

  async function unpack(image: FoundImage, theEngine: ImageEngine, stop: AbortSignal): Promise<void> {
    const root = join(folder, image.id);
    if (await isFolder(root)) return utimes(root, new Date(), new Date());
    const part = join(folder, `.part-${randomUUID()}`);
    const [files, archive, scratch] = [join(part, "files"), join(part, "archive.tar"), join(part, "scratch")];
    try {
      await mkdir(files, { recursive: true, mode: 0o700 });
      await makeScratch(scratch);
      await theEngine.archive(image, archive, stop);
      const cell = { workspace: files, scratch, readable: [archive], writable: [], network: false, env: {}, path: [], mark };
      const command = sandboxed(sandbox, cell, ["/bin/sh", "-e", "-c", unpacking, "sh", archive]);
      let said = "";
      const write = async (output: Uint8Array) => {
        if (said.length < 1_000) said += Buffer.from(output).toString("utf8");
      };
      const ending = await spawnCommand(command, { write, stop });
      if (ending.kind === "stopped") throw ending.reason;
      if (ending.kind !== "exited" || ending.code !== 0) throw unpackingFailed(image, said);
      await rename(files, root);
    } finally {
      await removeTree(part);
    }
  }

  /** Those in use stay. */
  async function makeRoom(): Promise<void> {
    const ids = (await readdir(folder)).filter((name) => !name.startsWith(".part-"));
    const used = await Promise.all(ids.map(async (id) => ({ id, at: (await lstat(join(folder, id))).mtimeMs })));
    for (const { id } of used.toSorted((a, b) => b.at - a.at).slice(mostKept))
      await inTurn(id, async () => {
        if (!users.has(id)) await removeTree(join(folder, id));
      });
  }

  function hold(id: string): () => void {
    users.set(id, (users.get(id) ?? 0) + 1);
    let holds = true;
    return () => {
      if (!holds) return;
      holds = false;
      const left = (users.get(id) ?? 0) - 1;
      if (left > 0) users.set(id, left);
      else users.delete(id);
    };
  }

  return {
    async enter(name, stop) {
      if (sandbox.kind === "none")
        throw new ImageProblem(`the image ${name} needs the sandbox, and this server runs without one`, {
          fix: "Remove SANDBOX=none",
        });
      const engine = await theOneEngine();
      if (engine === null)
        throw new ImageProblem(`this server cannot use the image ${name}: it finds neither podman nor docker`, {
          fix: "Install podman and start Signalbox again",
        });
      const clock = AbortSignal.timeout(patience);
      const soon = AbortSignal.any([stop, clock]);
      let leave = () => {};
      try {
        const image = await found(name, engine, soon);
        leave = hold(image.id);
        await inTurn(image.id, () => unpack(image, engine, soon));
        await makeRoom();
        return { folder: join(folder, image.id), env: image.env, pinned: image.pinned, leave };
      } catch (error) {
        leave();
        if (clock.aborted && error === clock.reason)
          throw new ImageProblem(`the image ${name} took longer than ${patience / 60_000} min`, { retryable: true });
        throw error;
      }
    },
    async clear() {
      const names = await readdir(folder).catch(() => null);
      if (names === null) return;
      // Finding it removes what is left there; nothing has to wait for that.
      void theOneEngine();
      for (const name of names) if (name.startsWith(".part-")) await removeTree(join(folder, name));
    },
  };
}

/**
 * Runs in the sandbox, with nothing but the archive and an empty folder. All becomes the server's own and readable to it; what would act for somebody
 * else does not any more. /dev, /proc and /sys are the sandbox's; a device elsewhere cannot be made there, and the image is refused.
 */
const unpacking = `
tar --extract --file "$1" --no-same-owner --no-same-permissions --delay-directory-restore \\
  --anchored --exclude 'dev/*' --exclude './dev/*' --exclude 'proc/*' --exclude './proc/*' --exclude 'sys/*' --exclude './sys/*'
chmod -R u+rwX,ug-s .`;

function unpackingFailed({ pinned }: FoundImage, said: string): ImageProblem {
  const why = said.trim().split("\n")[0]?.slice(0, 300) || "tar did not say why";
  return new ImageProblem(`the image ${pinned} cannot be unpacked: ${why}`);
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isDirectory() ?? false;
}
