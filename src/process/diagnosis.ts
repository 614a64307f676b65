import { access, readFile } from "node:fs/promises";

/** What on this machine can keep bubblewrap from working. */
export interface Machine {
  /** Ubuntu's restriction, see https://ubuntu.com/blog/ubuntu-23-10-restricted-unprivileged-user-namespaces */
  readonly appArmorRestricts: boolean;
  /** Debian's switch. */
  readonly namespacesSwitchedOff: boolean;
  readonly namespacesAllowed: number;
  readonly container: boolean;
}

/** Names the cause of a sandbox that does not work, and the way out; `said` is what bubblewrap wrote, null when it is not installed. */
export function diagnose(said: string | null, machine: Machine): { readonly problem: string; readonly fix: string } {
  if (said === null) {
    return {
      problem: "bubblewrap (bwrap) is not installed",
      fix: "Install it, on Debian and Ubuntu with: apt-get install bubblewrap",
    };
  }
  const because = said.trim().split("\n").at(-1) || "it did not say why";
  if (machine.namespacesAllowed === 0) {
    return {
      problem: `this machine allows no user namespaces (${because})`,
      fix: "Allow them with: sysctl -w user.max_user_namespaces=15000, and in /etc/sysctl.d for the next start",
    };
  }
  if (machine.namespacesSwitchedOff) {
    return {
      problem: `this machine keeps user namespaces for root (${because})`,
      fix: "Open them with: sysctl -w kernel.unprivileged_userns_clone=1, and in /etc/sysctl.d for the next start",
    };
  }
  if (machine.container) {
    return {
      problem: `this container may not make namespaces (${because})`,
      fix: "Start it with: --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined",
    };
  }
  if (machine.appArmorRestricts) {
    return {
      problem: `AppArmor keeps bubblewrap from making user namespaces (${because})`,
      fix: `Write "${appArmorProfile}" to /etc/apparmor.d/bwrap and load it with: apparmor_parser -r /etc/apparmor.d/bwrap`,
    };
  }
  return {
    problem: `bubblewrap does not work (${because})`,
    fix: "Run bwrap --ro-bind / / --unshare-all true as the server's user, and mend what it says",
  };
}

/** Reads what `diagnose` asks about; a switch that this kernel does not have is not in the way. */
export async function readMachine(): Promise<Machine> {
  const setting = async (path: string) => (await readFile(`/proc/sys/${path}`, "utf8").catch(() => "")).trim();
  const exists = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );
  const allowed = await setting("user/max_user_namespaces");
  return {
    appArmorRestricts: (await setting("kernel/apparmor_restrict_unprivileged_userns")) === "1",
    namespacesSwitchedOff: (await setting("kernel/unprivileged_userns_clone")) === "0",
    namespacesAllowed: allowed === "" ? Number.POSITIVE_INFINITY : Number(allowed),
    container: (await exists("/.dockerenv")) || (await exists("/run/.containerenv")),
  };
}

const appArmorProfile = "abi <abi/4.0>, include <tunables/global> profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }";
