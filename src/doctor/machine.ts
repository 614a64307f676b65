import { statfs } from "node:fs/promises";
import { probeSandbox } from "../process/probe.ts";
import { captureCommand } from "../process/spawn.ts";
import { doubtful, type Finding, fine, wrong } from "./finding.ts";
import type { DoctorMeans } from "./means.ts";

/** Whether checks can be isolated here. */
export async function examineSandbox({ settings }: DoctorMeans): Promise<readonly Finding[]> {
  if (settings.role === "web") return [fine("sandbox", "none is needed: ROLE=web runs nothing")];
  if (settings.sandbox === "none")
    return [doubtful("sandbox", "SANDBOX=none: checks can do what the server can", "install bubblewrap and leave SANDBOX out")];
  const probe = await probeSandbox();
  if (!probe.works) return [wrong("sandbox", probe.problem, probe.fix)];
  const { version, network, processes } = probe.sandbox;
  return [
    fine("sandbox", `bubblewrap ${version} works`),
    ...(network === null
      ? [
          doubtful(
            "sandbox",
            "checks share the server's network, its loopback too",
            "install slirp4netns; in a container it needs the device /dev/net/tun",
          ),
        ]
      : []),
    ...(processes.kind === "none"
      ? [
          doubtful(
            "sandbox",
            "nothing bounds how many processes a check starts",
            "run the server as a systemd service of its own user, or bound its container (pids_limit)",
          ),
        ]
      : []),
  ];
}

/** Partial fetches by SHA and `--no-write-fetch-head` need 2.29: https://git-scm.com/docs/git-fetch */
const oldest = [2, 29] as const;

/** Whether git is there, and new enough. */
export async function examineGit(): Promise<readonly Finding[]> {
  const install = "apt install git";
  const { output } = await captureCommand({ argv: ["git", "--version"], cwd: "/", env: { PATH: process.env.PATH ?? "" } }).catch(
    () => ({ output: "" }),
  );
  const [, version, major, minor] = /((\d+)\.(\d+)\S*)/.exec(output) ?? [];
  if (version === undefined) return [wrong("git", "there is no git on PATH", install)];
  const isOld = Number(major) < oldest[0] || (Number(major) === oldest[0] && Number(minor) < oldest[1]);
  return [
    isOld ? wrong("git", `git ${version} is too old; ${oldest.join(".")} is needed`, install) : fine("git", `git ${version}`),
  ];
}

const [little, low] = [1, 5].map((gigabytes) => gigabytes * 2 ** 30) as [number, number];

/** Whether there is room left in the data directory. */
export async function examineDisk({ settings }: DoctorMeans): Promise<readonly Finding[]> {
  const { bavail, bsize } = await statfs(settings.dataDir);
  const free = bavail * bsize;
  const what = `${(free / 2 ** 30).toFixed(1)} GB are free at ${settings.dataDir}`;
  const fix = "make room, or lower LOG_RETENTION and HISTORY_RETENTION";
  if (free < little) return [wrong("disk", what, fix)];
  return [free < low ? doubtful("disk", what, fix) : fine("disk", what)];
}
