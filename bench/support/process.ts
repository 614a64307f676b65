import { type ChildProcess, fork } from "node:child_process";
import serverFlags from "../../bin/node-flags.json" with { type: "json" };

/** With which Node runs the server; its peers get Node's own. */
export { serverFlags };

/** A process of a measure. It ends with `stop`, or when ours does. */
export interface Worker {
  /** Sends it a message and resolves with the next message it sends; rejects when it dies instead. */
  ask<T>(message: object): Promise<T>;
  /** The first message it sent: it is ready. */
  readonly ready: unknown;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts a TypeScript file as a process of its own; resolves when it has sent its first message. */
export async function startWorker(
  file: URL,
  environment: Record<string, string> = {},
  flags: readonly string[] = [],
): Promise<Worker> {
  const child = fork(file, {
    execArgv: ["--disable-warning=ExperimentalWarning", ...flags],
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ready = await nextMessage<unknown>(child, file);
  return {
    ready,
    pid: child.pid ?? 0,
    ask(message) {
      const answer = nextMessage<never>(child, file);
      child.send(message);
      return answer;
    },
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function nextMessage<T>(child: ChildProcess, file: URL): Promise<T> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown) => {
      child.off("exit", onExit);
      resolve(message as T);
    };
    const onExit = (code: number | null) => {
      child.off("message", onMessage);
      reject(new Error(`${file.pathname} ended with ${code} instead of answering`));
    };
    child.once("message", onMessage).once("exit", onExit);
  });
}
