import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { everyProcess, killUntilGone, lives, type Process, readProcess, signal, startedWith, startOf } from "./table.ts";

/** All processes of one command. */
export interface Family {
  /** Asks the command itself, not its helpers, to end. Never rejects. */
  ask(): Promise<void>;
  /** Kills everything that is left; settles when none lives any more. Safe to repeat. Never rejects. */
  end(): Promise<void>;
}

/** The variable by which a command's processes are found when they have left its process group. */
export const commandVariable = "SIGNALBOX_COMMAND";

/**
 * A command without a sandbox. Its processes share its process group, its session, or its mark in the environment; a process that sheds all
 * three on purpose is lost sight of, which only a pid namespace prevents. To be called in the same turn as the spawn, while the number is surely its.
 */
export function plainFamily(pid: number, mark: string): Family {
  const startedAt = startOf(pid) ?? 0;
  const members = async (): Promise<readonly Process[]> => {
    const processes = await everyProcess();
    // A number is free for reuse once nobody's group or session is called so; then it says nothing about us.
    const reused = processes.some((process) => process.pid === pid && process.startedAt !== startedAt);
    const related = ({ group, session }: Process) => !reused && (group === pid || session === pid);
    const younger = processes.filter((process) => process.startedAt >= startedAt);
    return younger.filter((process) => related(process) || startedWith(process.pid, commandVariable, mark));
  };
  return {
    ask: async () => void signal(pid, "SIGTERM"),
    end: async () => void (await killUntilGone(members)),
  };
}

/** A program of our own that starts no daemons: while it runs all of it is in its process group. To be called in the same turn as the spawn. */
export function ownFamily(pid: number): Family {
  const startedAt = startOf(pid) ?? 0;
  const isThere = () => {
    const leader = readProcess(pid);
    return (leader === null || leader.startedAt === startedAt) && signal(-pid, 0);
  };
  return {
    ask: async () => void signal(pid, "SIGTERM"),
    end: async () => {
      for (let pause = 1; isThere(); pause = Math.min(pause * 2, 50)) {
        signal(-pid, "SIGKILL");
        await wait(pause);
      }
    },
  };
}

/** What bubblewrap tells about the command inside; `exitCode` stays null when the command could not be started. */
export interface SandboxReport {
  /** Null when bubblewrap ended before there was a namespace. */
  readonly init: Promise<Process | null>;
  readonly exitCode: Promise<number | null>;
}

/** Reads bubblewrap's `--json-status-fd`: one JSON document a line, see https://manpages.debian.org/bookworm/bubblewrap/bwrap.1.en.html */
export function readSandboxReport(status: Readable): SandboxReport {
  const init = Promise.withResolvers<Process | null>();
  const exitCode = Promise.withResolvers<number | null>();
  let text = "";
  status.on("data", (chunk) => {
    text += chunk;
    const pid = /"child-pid": *([0-9]+)/.exec(text)?.[1];
    if (pid !== undefined) init.resolve(readProcess(Number(pid)));
  });
  status.on("error", () => {});
  status.on("close", () => {
    const code = /"exit-code": *([0-9]+)/.exec(text)?.[1];
    init.resolve(null);
    exitCode.resolve(code === undefined ? null : Number(code));
  });
  return { init: init.promise, exitCode: exitCode.promise };
}

/**
 * A command in bubblewrap. Bubblewrap passes no signal on, and its first process inside (`init`) is the parent of the command and of all that
 * lost their parent; when `init` dies the kernel kills everything inside, and only then is `init` gone.
 */
export function sandboxedFamily(bubblewrap: number, report: SandboxReport): Family {
  const startedAt = startOf(bubblewrap);
  const living = async (): Promise<readonly Process[]> => {
    const init = await report.init;
    return init && lives(init) ? [init] : [];
  };
  return {
    ask: async () => {
      // Until the command is started there is nobody to ask.
      for (let asked = false; !asked && (await living()).length > 0; await wait(10)) {
        for (const pid of await childrenOf(await report.init)) asked = signal(pid, "SIGTERM") || asked;
      }
    },
    end: async () => {
      if (readProcess(bubblewrap)?.startedAt === startedAt) signal(-bubblewrap, "SIGKILL");
      await killUntilGone(living);
    },
  };
}

async function childrenOf(process: Process | null): Promise<readonly number[]> {
  if (process === null) return [];
  const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").catch(() => "");
  return children.split(" ").filter(Boolean).map(Number);
}
