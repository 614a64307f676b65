import { access, constants, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Command } from "./child.ts";
import { diagnose, readMachine } from "./diagnosis.ts";
import { captureCommand } from "./spawn.ts";

/** How commands of a repository are kept apart from the machine; found once, at start, by `probeSandbox`. */
export type Sandbox =
  | {
      readonly kind: "bubblewrap";
      readonly version: string;
      /** Absolute, so that no PATH decides what contains the rest. */
      readonly program: string;
      /** The `prlimit` that comes before it; empty where there is none. */
      readonly limits: readonly string[];
    }
  | { readonly kind: "none" };

/** What one command may see and touch. */
export interface Cell {
  /** The checkout, writable; the command starts there. */
  readonly workspace: string;
  /** Where the workspace appears in the sandbox: `/workspace` unless said otherwise. */
  readonly workspaceIn?: string;
  /** A folder of this command's own beside the workspace, made by `makeScratch`: its HOME and its TMPDIR. */
  readonly scratch: string;
  /** Absolute folders and files that appear at the same path: tool chains, the mirror's objects. */
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  /** With network the command also reaches what listens on the machine's own loopback. */
  readonly network: boolean;
  /** Wins over HOME, TMPDIR and the end of PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders with programs that come first on PATH. */
  readonly path: readonly string[];
  /** By which `endOrphans` finds the command's processes after the server's death: `markedBy(…)`. */
  readonly mark?: Readonly<Record<string, string>>;
}

/** What `probeSandbox` found: when it does not work, what is wrong and what the operator can do about it, a sentence each. */
export type Probe =
  | { readonly works: true; readonly sandbox: Sandbox }
  | { readonly works: false; readonly problem: string; readonly fix: string };

/** Runs `true` in the sandbox just as a check would run in it. To be called once, at start; `path` is where programs are looked for. */
export async function probeSandbox(path = process.env.PATH ?? ""): Promise<Probe> {
  const program = await find("bwrap", path);
  if (program === null) return { works: false, ...diagnose(null, await readMachine()) };
  const folder = await mkdtemp(join(tmpdir(), "signalbox-probe-"));
  try {
    const asked = await captureCommand({ argv: [program, "--version"], cwd: "/", env: {} });
    const version = asked.output.trim().split(" ").at(-1) ?? "";
    const sandbox: Sandbox = { kind: "bubblewrap", version, program, limits: await limitsWith(await find("prlimit", path)) };
    await makeScratch(join(folder, "scratch"));
    const cell = {
      workspace: folder,
      scratch: join(folder, "scratch"),
      readable: [],
      writable: [],
      network: false,
      env: {},
      path: [],
    };
    const { ending, output, errors } = await captureCommand(sandboxed(sandbox, cell, ["true"]));
    if (ending.kind === "exited" && ending.code === 0) return { works: true, sandbox };
    return { works: false, ...diagnose(`${output}${errors}`, await readMachine()) };
  } catch (error) {
    return { works: false, ...diagnose(Error.isError(error) ? error.message : String(error), await readMachine()) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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
  const [first, ...rest] = [...sandbox.limits, sandbox.program, ...bubblewrapArguments(cell), "--", ...argv];
  return {
    argv: [first ?? sandbox.program, ...rest],
    // Neither the folder nor the environment of what runs outside the sandbox comes from the repository: LD_PRELOAD would be obeyed there.
    cwd: "/",
    env: { PATH: standardPath.join(":"), ...cell.mark },
    sandboxed: { hiddenArguments: hidden(environment(cell, scratchInside)) },
  };
}

const scratchInside = "/tmp/scratch";
const standardPath = ["/usr/local/bin", "/usr/bin", "/bin"];

/**
 * What programs need to know of the machine to find users, hosts, certificates and libraries. A list, because `/etc` also holds keys: the
 * private halves beside the certificates are left out, since a server that runs as root could read them inside too.
 */
const publicSettings = [
  "passwd group nsswitch.conf host.conf hosts services protocols gai.conf localtime timezone os-release mime.types",
  "ld.so.cache ld.so.conf ld.so.conf.d ld-musl-x86_64.path ld-musl-aarch64.path alternatives ca-certificates",
  "ssl/certs ssl/cert.pem ssl/openssl.cnf pki/ca-trust pki/tls/certs pki/tls/cert.pem pki/tls/openssl.cnf crypto-policies",
].flatMap((line) => line.split(" "));

function bubblewrapArguments(cell: Cell): readonly string[] {
  const inside = cell.workspaceIn ?? "/workspace";
  return [
    ...["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"],
    ...(cell.network ? ["--share-net"] : []),
    ...["--json-status-fd", "3", "--args", "4"],
    ...["--ro-bind", "/usr", "/usr"],
    // Links into /usr on most machines, folders on others: bound, both are right.
    ...["/bin", "/sbin", "/lib", "/lib32", "/lib64"].flatMap(readableWhereItIs),
    ...publicSettings.flatMap((name) => readableWhereItIs(`/etc/${name}`)),
    // Bound by its real path, because systemd-resolved's is a link into /run.
    ...(cell.network ? readableWhereItIs("/etc/resolv.conf") : []),
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run", "--tmpfs", "/tmp"],
    // HOME and TMPDIR are on disk: what lies in memory counts against every other check.
    ...["--bind", cell.scratch, scratchInside],
    ...cell.readable.flatMap((path) => ["--ro-bind", path, path]),
    ...cell.writable.flatMap((path) => ["--bind", path, path]),
    ...["--bind", cell.workspace, inside, "--chdir", inside],
    ...["--remount-ro", "/"],
  ];
}

function readableWhereItIs(path: string): readonly string[] {
  return ["--ro-bind-try", path, path];
}

function environment(cell: Cell, scratch: string): Readonly<Record<string, string>> {
  const path = [...cell.path, cell.env.PATH ?? standardPath.join(":")].join(":");
  return { HOME: `${scratch}/home`, TMPDIR: `${scratch}/tmp`, ...cell.env, PATH: path };
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

/** At most 4,096 processes, no core dumps, files of at most 10 GB; never more than the server's own hard limits, which only root could raise. */
async function limitsWith(prlimit: string | null): Promise<readonly string[]> {
  if (prlimit === null) return [];
  const own = await readFile("/proc/self/limits", "utf8");
  const atMost = (limit: number, name: string) => {
    const hard = Number(new RegExp(`^${name} +\\S+ +([0-9]+)`, "m").exec(own)?.[1] ?? Number.POSITIVE_INFINITY);
    return Math.min(limit, hard);
  };
  return [
    prlimit,
    `--nproc=${atMost(4096, "Max processes")}`,
    "--core=0",
    `--fsize=${atMost(10_737_418_240, "Max file size")}`,
    "--",
  ];
}

async function find(program: string, path: string): Promise<string | null> {
  for (const folder of path.split(delimiter).filter((folder) => folder.startsWith("/"))) {
    const file = join(folder, program);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return null;
}
