import { spawn } from "node:child_process";
import { constants, type FileHandle, open } from "node:fs/promises";
import { OperatorProblem } from "./target.ts";

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
