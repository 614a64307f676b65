import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rmdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Limits } from "./limits.ts";
import { everyProcess, relatives } from "./table.ts";

/** A control group of the kernel that is ours to divide: each command gets a part of its own, with these files in it. */
export interface ControlGroup {
  readonly folder: string;
  readonly bounds: readonly { readonly file: string; readonly value: string; readonly optional: boolean }[];
}

/** Where the kernel shows them; other than usual in tests only. */
const kernel = { root: "/sys/fs/cgroup", own: "/proc/self/cgroup" };

/**
 * Finds the group that this server may divide, and makes ready what that needs; null where there is none. What a dead server left there is
 * removed. In the second version a group with processes has no parts, so the server moves into a part itself: only if nothing but the server's
 * own processes would move with it. See https://systemd.io/CGROUP_DELEGATION/ and https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
export async function findControlGroup(limits: Limits, { root, own } = kernel): Promise<ControlGroup | null> {
  const lines = (await readFile(own, "utf8").catch(() => "")).split("\n");
  const pathOf = (controller: RegExp) => lines.flatMap((line) => controller.exec(line)?.[1] ?? [])[0];
  const unified = pathOf(/^0::(.*)$/);
  const first = pathOf(/^\d+:(?:.*,)?pids(?:,.*)?:(.*)$/);
  try {
    if (unified !== undefined && (await has(join(root, unified, "cgroup.controllers"), "pids"))) {
      const folder = join(root, unified);
      return (await isOurs(folder)) ? await divide(folder, limits) : null;
    }
    if (first === undefined) return null;
    const folder = join(root, "pids", first);
    await sweep(folder);
    return { folder, bounds: [{ file: "pids.max", value: String(limits.processes), optional: false }] };
  } catch {
    // A group that is read-only, or of another user: then it is not ours to divide.
    return null;
  }
}

/** Puts a process, whose children will follow it, into a part of its own; `leave` removes that when all of them are gone. Never leaves a part behind when it fails. */
export async function enterControlGroup(group: ControlGroup, pid: number): Promise<{ leave(): Promise<void> }> {
  const part = join(group.folder, `${prefix}${randomUUID()}`);
  await mkdir(part);
  try {
    for (const { file, value, optional } of group.bounds) {
      const written = writeFile(join(part, file), value);
      await (optional ? written.catch(() => {}) : written);
    }
    await writeFile(join(part, "cgroup.procs"), String(pid));
  } catch (error) {
    await rmdir(part).catch(() => {});
    throw error;
  }
  return { leave: () => removePart(part) };
}

const prefix = "signalbox-";
const serverPart = `${prefix}server`;

async function divide(folder: string, limits: Limits): Promise<ControlGroup | null> {
  const members = (await readFile(join(folder, "cgroup.procs"), "utf8")).split("\n").filter(Boolean).map(Number);
  const ours = relatives(await everyProcess(), process.pid);
  if (!members.every((pid) => ours.has(pid))) return null;
  await mkdir(join(folder, serverPart), { recursive: true });
  for (const pid of members) await writeFile(join(folder, serverPart, "cgroup.procs"), String(pid));
  const memory = await has(join(folder, "cgroup.controllers"), "memory");
  await writeFile(join(folder, "cgroup.subtree_control"), memory ? "+pids +memory" : "+pids");
  await sweep(folder);
  return {
    folder,
    bounds: [
      { file: "pids.max", value: String(limits.processes), optional: false },
      // Both may be absent, the second also where there is no swap.
      { file: "memory.max", value: String(limits.memory), optional: true },
      { file: "memory.swap.max", value: "0", optional: true },
    ],
  };
}

/** As an ordinary user it was given to us; root could write anywhere, also where systemd keeps its own accounts. */
async function isOurs(folder: string): Promise<boolean> {
  const user = process.getuid?.() ?? 0;
  if (user !== 0) return (await stat(folder)).uid === user;
  return !(await stat("/run/systemd/system").catch(() => null));
}

async function has(file: string, controller: string): Promise<boolean> {
  return (await readFile(file, "utf8").catch(() => "")).split(/\s/).includes(controller);
}

/** A part with processes cannot be removed, so those of another server that lives stay. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(prefix) && name !== serverPart) await rmdir(join(folder, name)).catch(() => {});
  }
}

/** A process that was killed counts for a moment after it is gone. */
async function removePart(part: string): Promise<void> {
  for (let pause = 1; pause < 1_000; pause *= 2) {
    if (
      await rmdir(part).then(
        () => true,
        (error) => error.code === "ENOENT",
      )
    )
      return;
    await wait(pause);
  }
}
