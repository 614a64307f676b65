import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { bubblewrapArguments, networkOwner, scratchInside } from "./bubblewrap.ts";
import type { Command } from "./child.ts";
import { type Bound, isEmpty } from "./enclosure.ts";
import type { ImageRoot } from "./image-root.ts";
import type { Limits } from "./limits.ts";
import type { NetworkProgram } from "./network.ts";

export { type Probe, probeSandbox } from "./probe.ts";

/** How commands of a repository are kept apart from the machine; found once, at start, by `probeSandbox`. */
export type Sandbox = Bubblewrap | { readonly kind: "none" };

export interface Bubblewrap {
  readonly kind: "bubblewrap";
  readonly version: string;
  /** Absolute, so that no PATH decides what contains the rest. */
  readonly program: string;
  /** The programs that come before it and become it, and what they need of the server's environment. */
  readonly before: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly limits: Limits;
  /** Null: a command with network has that of the machine, with its loopback. */
  readonly network: NetworkProgram | null;
  readonly resolver: string;
  readonly processes: Bound;
}

/** What the server's log says of its sandbox, in plain values. */
export function describeSandbox(sandbox: Sandbox): Readonly<Record<string, string>> {
  if (sandbox.kind === "none") return { sandbox: "none" };
  const { version, network, processes } = sandbox;
  return {
    sandbox: `bubblewrap ${version}`,
    network: network?.kind ?? "shared with the machine, also its loopback: install slirp4netns or pasta, which need /dev/net/tun",
    processes:
      processes.kind === "none"
        ? "not limited: run the server as an ordinary user, or give it a control group (Delegate=yes in its systemd unit)"
        : `at most ${sandbox.limits.processes} by ${processes.kind}`,
  };
}

/** What one command may see and touch. */
export interface Cell {
  /** The checkout, writable; the command starts there. */
  readonly workspace: string;
  /** Where the workspace appears in the sandbox: `/workspace` unless said otherwise. */
  readonly workspaceIn?: string;
  /** An image in place of the machine's own files; the command is root there, without a power. Only in bubblewrap. */
  readonly root?: ImageRoot | null;
  /** A folder of this command's own beside the workspace, made by `makeScratch`: its HOME and its TMPDIR. */
  readonly scratch: string;
  /** Absolute folders and files that appear at the same path: tool chains, the mirror's objects. */
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  /** What listens on the machine's own loopback is reached only where the sandbox's network is the machine's. */
  readonly network: boolean;
  /** Wins over HOME, TMPDIR and the end of PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders with programs that come first on PATH. */
  readonly path: readonly string[];
  /** By which `endOrphans` finds the command's processes after the server's death: `markedBy(…)`. */
  readonly mark?: Readonly<Record<string, string>>;
}

/** Makes the folder of a cell's HOME and TMPDIR, which only the server's user can enter. */
export async function makeScratch(folder: string): Promise<void> {
  for (const path of [folder, join(folder, "home"), join(folder, "tmp")]) await mkdir(path, { recursive: true, mode: 0o700 });
}

/** Says how a command is run in a cell. Runs nothing. Throws when a variable cannot be passed on. */
export function sandboxed(sandbox: Sandbox, cell: Cell, argv: readonly [string, ...string[]]): Command {
  if (sandbox.kind === "none") {
    return { argv, cwd: cell.workspace, env: { ...environment(cell, cell.scratch), ...cell.mark } };
  }
  const enclosure = { network: cell.network ? sandbox.network : null, processes: sandbox.processes };
  const shown = bubblewrapArguments(cell, enclosure, !isEmpty(enclosure), sandbox.limits, sandbox.version);
  const owner = enclosure.network ? [sandbox.program, ...networkOwner] : [];
  const [first, ...rest] = [...sandbox.before, ...owner, sandbox.program, ...shown, "--", ...argv];
  return {
    argv: [first ?? sandbox.program, ...rest],
    // Neither the folder nor the environment of what runs outside the sandbox comes from the repository: LD_PRELOAD would be obeyed there.
    cwd: "/",
    env: { PATH: standardPath.join(":"), ...sandbox.env, ...cell.mark },
    sandboxed: {
      hiddenArguments: hidden(environment(cell, scratchInside)),
      enclosure,
      resolver: sandbox.resolver,
      disk: { folder: cell.workspace, reserve: sandbox.limits.reserve },
    },
  };
}

const standardPath = ["/usr/local/bin", "/usr/bin", "/bin"];

function environment(cell: Cell, scratch: string): Readonly<Record<string, string>> {
  const image = cell.root?.env ?? {};
  const path = [...cell.path, cell.env.PATH ?? image.PATH ?? standardPath.join(":")].join(":");
  return { ...image, HOME: `${scratch}/home`, TMPDIR: `${scratch}/tmp`, ...cell.env, PATH: path };
}

/** Bubblewrap takes arguments that end in NUL from a pipe, so a NUL in a value would be an argument of the repository's choice. */
function hidden(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => {
      if (name === "" || /[=\0]/.test(name) || value.includes("\0"))
        throw new Error(`the environment variable ${JSON.stringify(name)} cannot be passed on`);
      return `--setenv\0${name}\0${value}\0`;
    })
    .join("");
}
