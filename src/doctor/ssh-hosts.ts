import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { captureCommand } from "../process/spawn.ts";
import type { FileInUse } from "./files-in-use.ts";
import { doubtful, type Finding, fine } from "./finding.ts";
import type { DoctorMeans } from "./means.ts";

/** Whether the host keys of the servers in use are known, and how one is added. Nothing is asked of those servers. */
export async function examineSshHosts({ settings }: DoctorMeans, files: readonly FileInUse[]): Promise<readonly Finding[]> {
  const hosts = new Map(files.flatMap(hostsOf).map((host) => [host.name, host]));
  if (hosts.size === 0) return [];
  const path = join(settings.dataDir, "known_hosts");
  const unknown: Finding[] = [];
  for (const { name, place, port, lines } of hosts.values()) {
    if (lines !== "" || (await isKnown(path, place, port))) continue;
    const scan = `ssh-keyscan -t ed25519 -p ${port} ${place} >> ${path}`;
    unknown.push(
      doubtful(
        "ssh hosts",
        `the host key of ${name} is not known, so deployments there are refused`,
        `${scan}, then compare ssh-keygen -lf ${path} with what ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub says on that server`,
      ),
    );
  }
  return unknown.length > 0 ? unknown : [fine("ssh hosts", `the host keys of ${[...hosts.keys()].join(", ")} are known`)];
}

interface Host {
  readonly name: string;
  readonly place: string;
  readonly port: number;
  /** What the file itself knows. */
  readonly lines: string;
}

function hostsOf({ file }: FileInUse): readonly Host[] {
  return Object.values(file.environments).flatMap((plan) => {
    if (plan.target !== "ssh") return [];
    const { host, hosts, known_hosts: lines } = plan.with;
    const names = [...(typeof host === "string" ? [host] : []), ...(Array.isArray(hosts) ? hosts.map(String) : [])];
    return names.flatMap((name) => {
      const [, place, port] = /^(?:[^@]+@)?(\[[^\]]+\]|[A-Za-z0-9.-]+)(?::(\d+))?$/.exec(name) ?? [];
      if (place === undefined) return [];
      return [
        { name, place: place.replace(/^\[|\]$/g, ""), port: Number(port ?? 22), lines: typeof lines === "string" ? lines : "" },
      ];
    });
  });
}

async function isKnown(path: string, place: string, port: number): Promise<boolean> {
  const content = await readFile(path, "utf8").catch(() => "");
  if (content === "") return false;
  const name = port === 22 ? place : `[${place}]:${port}`;
  // Names in the file may be hashed, which ssh-keygen knows how to look up.
  const found = await captureCommand({
    argv: ["ssh-keygen", "-F", name, "-f", path],
    cwd: "/",
    env: { PATH: process.env.PATH ?? "" },
  }).catch(() => ({ output: "" }));
  return found.output.includes("found");
}
