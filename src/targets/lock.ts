import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { constants, type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { type DeployOrder, OperatorProblem } from "./target.ts";

/**
 * `DeployOrder.alone`, by a lock in a folder that the repository's deployments share: our own means against a server that lost its lease,
 * or a program of a repository that names an environment like a path.
 */
export function aloneIn(folder: string, environment: string): DeployOrder["alone"] {
  const name = `.lock-${createHash("sha256").update(environment).digest("hex").slice(0, 16)}`;
  return async (io, work) => {
    await mkdir(folder, { recursive: true });
    const waits = () => io.write(Buffer.from(`Waiting for the deployment to ${environment} that is under way.\n`));
    return withLock(join(folder, name), io.stop, waits, work);
  };
}

/**
 * Does `work` while this process, and no other on any machine that shares the file, holds the lock; who comes second waits, and is told so
 * through `onWait`, once. The lock belongs to our open file, not to a helper: when this process dies in whatever way, the kernel closes
 * the file and the next one goes on. The file stays, since removing it would let two hold "the same" lock. Throws the reason of `stop` when aborted while waiting.
 */
export async function withLock<Result>(
  path: string,
  stop: AbortSignal,
  onWait: () => Promise<void>,
  work: () => Promise<Result>,
): Promise<Result> {
  // A link in its place would have us open, and lock, any file of the machine.
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    if (!(await lock(file, ["-n"], stop))) {
      await onWait();
      await lock(file, [], stop);
    }
    return await work();
  } finally {
    await file.close();
  }
}

/** `flock` locks what its descriptor 3 stands for, the open file that we share with it (https://man7.org/linux/man-pages/man2/flock.2.html), and ends. */
async function lock(file: FileHandle, options: readonly string[], stop: AbortSignal): Promise<boolean> {
  stop.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const child = spawn("flock", ["-x", ...options, "3"], { stdio: ["ignore", "ignore", "ignore", file.fd], signal: stop });
  child.once("error", reject);
  child.once("close", resolve);
  const code = await promise.catch((error) => {
    stop.throwIfAborted();
    throw new OperatorProblem("flock cannot be started", "Install util-linux, which it is part of", { cause: error });
  });
  stop.throwIfAborted();
  if (code === 0) return true;
  if (code === 1 && options.length > 0) return false;
  throw new OperatorProblem(`flock ended with ${code} instead of locking`, "Deploy to a file system that has locks");
}
