import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { constants } from "node:os";
import { Readable, Writable } from "node:stream";
import { type Enclosure, enclose, isEmpty } from "./enclosure.ts";
import {
  commandVariable,
  type Family,
  ownFamily,
  plainFamily,
  readSandboxReport,
  type SandboxReport,
  sandboxedFamily,
} from "./family.ts";
import { lives } from "./table.ts";

/** What to run. Made by hand for a program of our own, by `sandboxed` for one of a repository. */
export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** All that the program sees, but for the mark by which its processes are found. */
  readonly env: Readonly<Record<string, string>>;
  /** What it reads from standard input; nothing when left out. */
  readonly input?: string;
  readonly sandboxed?: SandboxedCommand;
}

/**
 * The program is bubblewrap. It reports on descriptor 3, reads further arguments from 4, waits for a byte on 5 when there is an enclosure, and
 * reads `/etc/resolv.conf` from 6 when that has a network.
 */
export interface SandboxedCommand {
  /** Each ended by NUL. */
  readonly hiddenArguments: string;
  readonly enclosure: Enclosure;
  readonly resolver: string;
  /** Where the command writes, and how many bytes stay free there. */
  readonly disk: { readonly folder: string; readonly reserve: number };
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

/** Starts a command as the leader of its own session; null when there is no such program. `own`: a program of ours, which starts no daemons. */
export async function startChild(
  command: Command,
  stdout: "pipe" | number,
  stderr: "pipe" | number,
  own: boolean,
): Promise<Child | null> {
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
      ...(command.sandboxed ? descriptorsOf(command.sandboxed) : []),
    ] as StdioOptions,
    detached: true,
  });
  if (child.pid === undefined) return missing(child);
  return command.sandboxed
    ? startedInSandbox(child, child.pid, command, command.sandboxed)
    : started(child, command, own ? ownFamily(child.pid) : plainFamily(child.pid, mark));
}

/** Waits for the end of a command, ending it when `stop` is aborted: first the command itself is asked, after the grace period (ms) all is killed. */
export async function untilEnded({ ended, family }: Child, stop: AbortSignal, grace: number): Promise<Ending | null> {
  let timer: NodeJS.Timeout | undefined;
  const onStop = () => {
    timer = setTimeout(() => void family.end(), stop.reason === "lease lost" ? Math.min(grace, hurry) : grace);
    void family.ask();
  };
  if (stop.aborted) onStop();
  else stop.addEventListener("abort", onStop, { once: true });
  const ending = await ended.finally(async () => {
    stop.removeEventListener("abort", onStop);
    clearTimeout(timer);
    await family.end();
  });
  return timer === undefined ? ending : { kind: "stopped", reason: stop.reason };
}

/** What somebody else may begin anew at any moment gets little time to end, in milliseconds. */
const hurry = 1_000;

async function missing(child: ChildProcess): Promise<null> {
  const [error] = await once(child, "error");
  if (Error.isError(error) && "code" in error && error.code === "ENOENT") return null;
  throw new Error(`${child.spawnfile} cannot be started`, { cause: error });
}

function started(child: ChildProcess, command: Command, family: Family): Child {
  send(child.stdin, command.input);
  return { process: child, family, ended: exitOf(child).then(([code, signal]) => endingOf(code, signal)) };
}

function startedInSandbox(child: ChildProcess, pid: number, command: Command, sandboxed: SandboxedCommand): Child {
  // Node's type knows five; there are as many as were asked for.
  const streams: readonly unknown[] = child.stdio;
  const [, , , status, more, gate, resolver] = streams;
  if (!(status instanceof Readable && more instanceof Writable))
    throw new Error("bubblewrap was started without its descriptors 3 and 4");
  const report = readSandboxReport(status);
  const inner = sandboxedFamily(pid, report);
  const closing = close(sandboxed.enclosure, report, command.env);
  const family: Family = {
    ask: () => inner.ask(),
    end: async () => {
      await inner.end();
      await (await closing.catch(() => null))?.open();
    },
  };
  send(more, sandboxed.hiddenArguments);
  if (resolver instanceof Writable) send(resolver, sandboxed.resolver);
  send(child.stdin, command.input);
  const exit = exitOf(child);
  const ended = closing.then(async () => {
    if (gate instanceof Writable) send(gate, "go");
    const [, signal] = await exit;
    if (signal !== null) return endingOf(null, signal);
    const code = await report.exitCode;
    return code === null ? null : endingOf(code, signalNumbered(code - 128));
  });
  // Whoever waits hears of it; until then it is nobody's fault that nobody does.
  ended.catch(() => {});
  return { process: child, family, ended };
}

/** Null when there is nothing to close, or bubblewrap ended before or while it was closed around: then its own words say why. */
async function close(
  enclosure: Enclosure,
  report: SandboxReport,
  env: Command["env"],
): Promise<{ open(): Promise<void> } | null> {
  if (isEmpty(enclosure)) return null;
  const init = await report.init;
  if (init === null) return null;
  return enclose(enclosure, init, env).catch((error) => {
    if (lives(init)) throw error;
    return null;
  });
}

function descriptorsOf({ enclosure }: SandboxedCommand): readonly "pipe"[] {
  return ["pipe", "pipe", ...(isEmpty(enclosure) ? [] : (["pipe"] as const)), ...(enclosure.network ? (["pipe"] as const) : [])];
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
