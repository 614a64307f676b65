import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diagnose, readMachine } from "./diagnosis.ts";
import type { Bound } from "./enclosure.ts";
import { findControlGroup } from "./groups.ts";
import { type Limits, usualLimits } from "./limits.ts";
import { type NetworkProgram, resolverSettings } from "./network.ts";
import { findProgram } from "./programs.ts";
import { type Bubblewrap, makeScratch, sandboxed } from "./sandbox.ts";
import { captureCommand } from "./spawn.ts";

/** What was found: when no sandbox works, what is wrong and what the operator can do about it, a sentence each. */
export type Probe =
  | { readonly works: true; readonly sandbox: Bubblewrap }
  | { readonly works: false; readonly problem: string; readonly fix: string };

/**
 * Runs `true` in the sandbox just as a check would run in it, and finds out which networks and bounds work on top. To be called once, at start;
 * `path` is where programs are looked for.
 */
export async function probeSandbox(path = process.env.PATH ?? "", limits: Limits = usualLimits()): Promise<Probe> {
  const program = await findProgram("bwrap", path);
  if (program === null) return { works: false, ...diagnose(null, await readMachine()) };
  const folder = await mkdtemp(join(tmpdir(), "signalbox-probe-"));
  try {
    const asked = await captureCommand({ argv: [program, "--version"], cwd: "/", env: {} });
    const version = asked.output.trim().split(" ").at(-1) ?? "";
    const prlimit = await findProgram("prlimit", path);
    const resolver = await resolverSettings();
    const bare: Bubblewrap = {
      ...{ kind: "bubblewrap", version, program, limits, resolver, env: {}, network: null, processes: { kind: "none" } },
      before: await limitsWith(prlimit, limits),
    };
    await makeScratch(join(folder, "scratch"));
    const said = await complaint(bare, folder, false);
    if (said !== null) return { works: false, ...diagnose(said, await readMachine()) };
    const bounded = await firstThatWorks(await bounds(bare, path, prlimit), folder, false);
    const connected = await firstThatWorks(await networks(bounded ?? bare, path), folder, true);
    return { works: true, sandbox: connected ?? bounded ?? bare };
  } catch (error) {
    return { works: false, ...diagnose(Error.isError(error) ? error.message : String(error), await readMachine()) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What keeps the number of processes small, the best first. */
async function bounds(bare: Bubblewrap, path: string, prlimit: string | null): Promise<readonly Bubblewrap[]> {
  const { limits } = bare;
  const group = await findControlGroup(limits);
  const systemdRun = await findProgram("systemd-run", path);
  const withBound = (processes: Bound) => ({ ...bare, processes });
  return [
    ...(group ? [withBound({ kind: "control group", group })] : []),
    ...(systemdRun ? [{ ...withBound({ kind: "systemd" }), ...asScope(systemdRun, bare) }] : []),
    ...(prlimit && process.getuid?.() !== 0 ? [withBound({ kind: "user limit", prlimit, processes: limits.processes })] : []),
  ];
}

/** See https://www.freedesktop.org/software/systemd/man/latest/systemd-run.html */
function asScope(systemdRun: string, { before, limits }: Bubblewrap): Pick<Bubblewrap, "before" | "env"> {
  const user = process.getuid?.() === 0 ? [] : ["--user"];
  const properties = [`TasksMax=${limits.processes}`, `MemoryMax=${limits.memory}`, "MemorySwapMax=0"];
  const bus = ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"];
  return {
    before: [
      systemdRun,
      "--scope",
      ...user,
      "--quiet",
      "--collect",
      ...properties.flatMap((one) => ["-p", one]),
      "--",
      ...before,
    ],
    env: Object.fromEntries(bus.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
  };
}

/** What connects without the machine's loopback. slirp4netns can lock itself up only where it is root. */
async function networks(sandbox: Bubblewrap, path: string): Promise<readonly Bubblewrap[]> {
  const slirp = await findProgram("slirp4netns", path);
  const pasta = await findProgram("pasta", path);
  const programs: readonly NetworkProgram[] = [
    ...(slirp ? [["--enable-sandbox"], []].map((options) => ({ kind: "slirp4netns" as const, program: slirp, options })) : []),
    ...(pasta ? [{ kind: "pasta" as const, program: pasta }] : []),
  ];
  return programs.map((network) => ({ ...sandbox, network }));
}

async function firstThatWorks(sandboxes: readonly Bubblewrap[], folder: string, network: boolean): Promise<Bubblewrap | null> {
  for (const sandbox of sandboxes) {
    if ((await complaint(sandbox, folder, network).catch(() => "")) === null) return sandbox;
  }
  return null;
}

/** Null when `true` ran. */
async function complaint(sandbox: Bubblewrap, folder: string, network: boolean): Promise<string | null> {
  const cell = { workspace: folder, scratch: join(folder, "scratch"), readable: [], writable: [], network, env: {}, path: [] };
  // What hangs does not work either.
  const stop = AbortSignal.timeout(10_000);
  const { ending, output, errors } = await captureCommand(sandboxed(sandbox, cell, ["true"]), { stop });
  return ending.kind === "exited" && ending.code === 0 ? null : `${output}${errors}`;
}

/** No core dumps, and never more than the server's own hard limits, which only root could raise. */
async function limitsWith(prlimit: string | null, limits: Limits): Promise<readonly string[]> {
  if (prlimit === null) return [];
  const own = await readFile("/proc/self/limits", "utf8");
  const hard = Number(/^Max file size +\S+ +([0-9]+)/m.exec(own)?.[1] ?? Number.POSITIVE_INFINITY);
  return [prlimit, "--core=0", `--fsize=${Math.min(limits.fileSize, hard)}`, "--"];
}
