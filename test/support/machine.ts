import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { until } from "./until.ts";

const needed = ["systemd-nspawn", "nsenter", "dbus-daemon", "sudo", "apt", "git", "openssl", "apparmor_parser"];
const missing = needed.filter((program) => spawnSync("/bin/sh", ["-c", `command -v ${program}`]).status !== 0);

/** Whether machines can be booted here. */
export const canBoot = process.getuid?.() === 0 && missing.length === 0;

/** What a test says that was skipped. */
export const bootSkipped = canBoot
  ? ""
  : " (skipped: needs root, and of Debian systemd-container, dbus, sudo, git, openssl and apparmor)";

/** A machine of its own for as long as it runs: this one's files and network, but what it writes is its own, and so is its systemd. */
export interface Machine {
  /** Told from those of all other machines. */
  readonly name: string;
  /** Its files, seen from here. */
  readonly root: string;
  /** Runs shell text as its root, in a folder of its own; gives what was said, and throws what was complained of when it failed. */
  run(text: string, cwd?: string): Promise<string>;
  /** Starts shell text as its root, whose processes end with the machine if not before. */
  start(text: string, cwd?: string): ChildProcess;
  stop(): Promise<void>;
}

/** Where control groups can be made: the unified hierarchy, or each of the older ones. */
const hierarchies = ["/sys/fs/cgroup", ...globSync("/sys/fs/cgroup/*")].filter((path) => existsSync(join(path, "cgroup.procs")));

/** Those that systemd needs one in. */
const booting = hierarchies.filter((path) => ["cgroup", "systemd", "unified"].includes(basename(path)));

// The mounts are in a namespace of their own: however this process ends, nothing of them is left. The control groups that systemd makes
// lie below one that can be told from others.
const boot = `
set -e
folder=$1 group=$2 hierarchies=$3
shift 3
mount -t tmpfs tmpfs "$folder"
mkdir "$folder/root" "$folder/written" "$folder/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/written,workdir=$folder/work" "$folder/root"
for hierarchy in $hierarchies; do
  mkdir "$hierarchy/$group"
  echo $$ > "$hierarchy/$group/cgroup.procs"
done
exec systemd-nspawn --quiet --register=no --keep-unit --directory="$folder/root" "$@" --boot systemd.unit=sysinit.target
`;

/** Boots a machine that sees what stands below `shared` too, unchangeable. It is stopped by whoever booted it. */
export async function bootMachine(shared: readonly string[]): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), "signalbox-machine-"));
  const group = basename(folder);
  const words = ["-c", boot, "boot", folder, group, booting.join(" "), ...shared.map((path) => `--bind-ro=${path}`)];
  const nspawn = spawn("unshare", ["--mount", "--propagation=private", "/bin/sh", ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(nspawn, "exit");
  let said = "";
  for (const stream of [nspawn.stdout, nspawn.stderr]) stream.on("data", (piece) => (said += piece));

  const leader = await until("the machine boots", async () => {
    if (nspawn.exitCode !== null) throw new Error(`The machine did not boot: ${said}`);
    const children = await readFile(`/proc/${nspawn.pid}/task/${nspawn.pid}/children`, "utf8");
    const [first = ""] = children.split(" ");
    const isUp = first !== "" && (await inside(first, "systemctl is-active sysinit.target").catch(() => null)) !== null;
    return isUp ? first : null;
  }).catch((error) => {
    // There may be no first process yet; the supervisor ends what there is.
    nspawn.kill("SIGTERM");
    throw error;
  });

  return {
    name: group,
    root: `/proc/${leader}/root`,
    run: (text, cwd) => inside(leader, text, cwd),
    start: (text, cwd) => spawn("nsenter", into(leader, text, cwd)),
    async stop() {
      // With the first process of its namespace all others end.
      process.kill(Number(leader), "SIGKILL");
      await ended;
      for (const left of hierarchies.map((path) => join(path, group)).filter(existsSync))
        execFileSync("find", [left, "-depth", "-type", "d", "-delete"]);
      await rm(folder, { recursive: true });
    },
  };
}

async function inside(leader: string, text: string, cwd?: string): Promise<string> {
  return (await promisify(execFile)("nsenter", into(leader, text, cwd), { maxBuffer: 2 ** 24, timeout: 240_000 })).stdout;
}

/** The words for nsenter: into all that the machine has of its own, with nothing of our environment. */
function into(leader: string, text: string, cwd = "/root"): string[] {
  const namespaces = ["--mount", "--uts", "--ipc", "--pid", "--cgroup", "--root", "--wd"];
  // The Node that npm hands to its scripts is none that the machine has.
  const path = (process.env.PATH ?? "").split(":").filter((part) => !part.includes("node_modules"));
  const environment = ["/usr/bin/env", "-i", "HOME=/root", "LANG=C.UTF-8", `PATH=${path.join(":")}`];
  return [`--target=${leader}`, ...namespaces, ...environment, "/bin/sh", "-ec", `cd ${cwd}\n${text}`];
}
