import { readdirSync, readFileSync } from "node:fs";
import { setImmediate, setTimeout } from "node:timers/promises";

/** One line of the kernel's process table; the start time tells a process from a later one that got the same number. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** In clock ticks since the machine's start. */
  readonly startedAt: number;
}

/** Reads one process; null when there is none, or only its remains (a zombie waits for its parent, not for us). */
export function readProcess(pid: number): Process | null {
  const fields = readFields(pid);
  return fields === null || "ZX".includes(fields.state) ? null : fields.process;
}

/** Whether a process that was seen before still lives. */
export function lives({ pid, startedAt }: Process): boolean {
  return readProcess(pid)?.startedAt === startedAt;
}

/** When a process started, also of one that has ended but is not reaped yet; null when there is none. */
export function startOf(pid: number): number | null {
  return readFields(pid)?.process.startedAt ?? null;
}

/** Reads every process that lives now and that we may see. Others have their turn after each hundred: one read takes about 10 µs. */
export async function everyProcess(): Promise<readonly Process[]> {
  const pids = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  const processes: Process[] = [];
  for (const [index, pid] of pids.entries()) {
    if (index % 100 === 99) await setImmediate();
    const process = readProcess(Number(pid));
    if (process) processes.push(process);
  }
  return processes;
}

/**
 * Says whether a process was started with this variable, or carries it in its name, as one does whose environment nobody may read; false when
 * it is gone or belongs to another user.
 */
export function startedWith(pid: number, name: string, value: string): boolean {
  const variable = `${name}=${value}`;
  if (`\0${readUnlessGone(`/proc/${pid}/environ`)}`.includes(`\0${variable}\0`)) return true;
  const [called = ""] = readUnlessGone(`/proc/${pid}/cmdline`).split("\0", 1);
  return called.split(" ").includes(variable);
}

/** The numbers of a process, of all that started it, and of all that it started. */
export function relatives(processes: readonly Process[], pid: number): ReadonlySet<number> {
  const line = ancestry(processes, pid);
  const parents = new Map(processes.map((process) => [process.pid, process.parent]));
  const descends = (one: number | undefined): boolean =>
    one === pid || (one !== undefined && one > 1 && descends(parents.get(one)));
  return new Set([...line, ...processes.map((process) => process.pid).filter(descends)]);
}

/** The numbers of a process and of all that started it. */
export function ancestry(processes: readonly Process[], pid: number): ReadonlySet<number> {
  const parents = new Map(processes.map((process) => [process.pid, process.parent]));
  const line = new Set<number>();
  for (let next: number | undefined = pid; next !== undefined && !line.has(next); next = parents.get(next)) line.add(next);
  return line;
}

/** Sends a signal, or with 0 only asks; false when the process is gone or is not ours to signal. A negative number means a process group. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/**
 * Kills what `find` finds until it finds nothing more, because a process may fork between the look and the signal; returns how many there were.
 * A process that is not ours to signal is left out, so that it cannot make us wait for ever.
 */
export async function killUntilGone(find: () => Promise<readonly Process[]>): Promise<number> {
  const killed = new Set<string>();
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    const found = (await find()).filter(({ pid }) => signal(pid, "SIGKILL"));
    if (found.length === 0) return killed.size;
    for (const { pid, startedAt } of found) killed.add(`${pid} ${startedAt}`);
    await setTimeout(pause);
  }
}

/** See https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function readFields(pid: number): { readonly state: string; readonly process: Process } | null {
  const line = readUnlessGone(`/proc/${pid}/stat`);
  // The name in parentheses may hold spaces and parentheses: the other fields start after the last one.
  const [state, parent, group, session, ...rest] = line.slice(line.lastIndexOf(")") + 2).split(" ");
  if (!state || rest.length < 16) return null;
  const process = { pid, parent: Number(parent), group: Number(group), session: Number(session), startedAt: Number(rest[15]) };
  return { state, process };
}

/** The kernel answers from memory: a detour by the thread pool would take ten times as long. */
function readUnlessGone(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
