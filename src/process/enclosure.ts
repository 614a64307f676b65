import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type ControlGroup, enterControlGroup } from "./groups.ts";
import { connect, type NetworkProgram } from "./network.ts";
import type { Process } from "./table.ts";

/** What is put around a sandbox from outside, once it is there and before its command starts. */
export interface Enclosure {
  /** Null: it has none, or that of the machine. */
  readonly network: NetworkProgram | null;
  readonly processes: Bound;
}

/**
 * What keeps the number of a command's processes small: a control group; systemd, which made one before bubblewrap started; the number that one user may have
 * inside one user namespace, which does not bind root; or nothing.
 */
export type Bound =
  | { readonly kind: "control group"; readonly group: ControlGroup }
  | { readonly kind: "systemd" }
  | { readonly kind: "user limit"; readonly prlimit: string; readonly processes: number }
  | { readonly kind: "none" };

/** Says whether a sandbox has to wait for something before its command starts. */
export function isEmpty({ network, processes }: Enclosure): boolean {
  return network === null && (processes.kind === "systemd" || processes.kind === "none");
}

/** Closes around a sandbox whose first process (`init`) waits; all of it or nothing. `open` is for when no process is left inside; it never rejects and is safe to repeat. */
export async function enclose(
  enclosure: Enclosure,
  init: Process,
  env: Readonly<Record<string, string>>,
): Promise<{ open(): Promise<void> }> {
  const part = await bound(enclosure.processes, init.pid);
  try {
    // The network belongs to the bubblewrap that is its parent.
    const connection = enclosure.network && (await connect(enclosure.network, init.parent, env));
    return {
      open: async () => {
        await connection?.end();
        await part?.leave();
      },
    };
  } catch (error) {
    // The process is still inside its part: whoever asked ends it, and the part is swept up later.
    void part?.leave();
    throw error;
  }
}

async function bound(processes: Bound, pid: number): Promise<{ leave(): Promise<void> } | null> {
  switch (processes.kind) {
    case "control group":
      return enterControlGroup(processes.group, pid);
    case "user limit":
      // Counted in each user namespace by itself since Linux 5.14, before that for the user's whole machine.
      await promisify(execFile)(processes.prlimit, ["--pid", String(pid), `--nproc=${processes.processes}`]);
      return null;
    case "systemd":
    case "none":
      return null;
  }
}
