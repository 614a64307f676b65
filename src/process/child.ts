import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { constants } from "node:os";
import { Readable, Writable } from "node:stream";
import { commandVariable, type Family, plainFamily, readSandboxReport, sandboxedFamily } from "./family.ts";

/** What to run. Made by hand for a program of our own, by `sandboxed` for one of a repository. */
export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** All that the program sees, but for the mark by which its processes are found. */
  readonly env: Readonly<Record<string, string>>;
  /** What it reads from standard input; nothing when left out. */
  readonly input?: string;
  /** The program is bubblewrap: it reports on descriptor 3 and reads these further arguments, each ended by NUL, from descriptor 4. */
  readonly sandboxed?: { readonly hiddenArguments: string };
}

/** How a command ended; in a sandbox a signal is told from an exit code by the shell's convention of 128 and its number. */
export type Ending =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: string }
  | { readonly kind: "missing"; readonly program: string }
  /** `reason` is that of the signal, whatever the command made of it. */
  | { readonly kind: "stopped"; readonly reason: unknown };

/** A command that runs. */
export interface Child {
  readonly process: ChildProcess;
  readonly family: Family;
  /** Settles when the command's first process has ended; null stands for a sandbox that ended without having run the command. */
  readonly ended: Promise<Ending | null>;
}

/** Starts a command as the leader of its own session; null when there is no such program. */
export async function startChild(command: Command, stdout: "pipe" | number, stderr: "pipe" | number): Promise<Child | null> {
  // A missing folder and a missing program are the same ENOENT.
  if (!(await stat(command.cwd).catch(() => null))?.isDirectory())
    throw new Error(`${command.cwd} is not a folder: nothing can run there`);
  const mark = randomUUID();
  const [program, ...args] = command.argv;
  const child = spawn(program, args, {
    cwd: command.cwd,
    env: { ...command.env, [commandVariable]: mark },
    stdio: [
      command.input === undefined ? "ignore" : "pipe",
      stdout,
      stderr,
      ...(command.sandboxed ? ["pipe", "pipe"] : []),
    ] as StdioOptions,
    detached: true,
  });
  if (child.pid === undefined) return missing(child);
  return command.sandboxed
    ? startedInSandbox(child, child.pid, command, command.sandboxed.hiddenArguments)
    : started(child, child.pid, command, mark);
}

/** Waits for the end of a command, ending it when `stop` is aborted: first the command itself is asked, after the grace period (ms) all is killed. */
export async function untilEnded({ ended, family }: Child, stop: AbortSignal, grace: number): Promise<Ending | null> {
  let timer: NodeJS.Timeout | undefined;
  const onStop = () => {
    timer = setTimeout(() => void family.end(), grace);
    void family.ask();
  };
  if (stop.aborted) onStop();
  else stop.addEventListener("abort", onStop, { once: true });
  const ending = await ended;
  stop.removeEventListener("abort", onStop);
  clearTimeout(timer);
  await family.end();
  return timer === undefined ? ending : { kind: "stopped", reason: stop.reason };
}

async function missing(child: ChildProcess): Promise<null> {
  const [error] = await once(child, "error");
  if (Error.isError(error) && "code" in error && error.code === "ENOENT") return null;
  throw new Error(`${child.spawnfile} cannot be started`, { cause: error });
}

function started(child: ChildProcess, pid: number, command: Command, mark: string): Child {
  const family = plainFamily(pid, mark);
  send(child.stdin, command.input);
  return { process: child, family, ended: exitOf(child).then(([code, signal]) => endingOf(code, signal)) };
}

function startedInSandbox(child: ChildProcess, pid: number, command: Command, hiddenArguments: string): Child {
  const [, , , status, more] = child.stdio;
  if (!(status instanceof Readable && more instanceof Writable))
    throw new Error("bubblewrap was started without its descriptors 3 and 4");
  const report = readSandboxReport(status);
  const family = sandboxedFamily(pid, report);
  send(more, hiddenArguments);
  send(child.stdin, command.input);
  const ended = exitOf(child).then(async ([, signal]) => {
    if (signal !== null) return endingOf(null, signal);
    const code = await report.exitCode;
    return code === null ? null : endingOf(code, signalNumbered(code - 128));
  });
  return { process: child, family, ended };
}

function exitOf(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve([code, signal])));
}

function endingOf(code: number | null, signal: string | null): Ending {
  return signal === null ? { kind: "exited", code: code ?? 0 } : { kind: "killed", signal };
}

function signalNumbered(number: number): string | null {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? null;
}

/** A command may end without having read everything: that is no error. */
function send(to: Writable | null, text: string | undefined): void {
  to?.on("error", () => {});
  to?.end(text);
}
