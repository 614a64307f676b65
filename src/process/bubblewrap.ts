import type { Enclosure } from "./enclosure.ts";
import { type ImageRoot, imageArguments } from "./image-root.ts";
import type { Limits } from "./limits.ts";

/** What bubblewrap shows and gives a command. */
export interface View {
  readonly workspace: string;
  readonly workspaceIn?: string;
  readonly scratch: string;
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  readonly network: boolean;
  readonly root?: ImageRoot | null;
}

/** Where a cell's scratch folder appears. */
export const scratchInside = "/tmp/scratch";

/** Says bubblewrap what a command sees; see https://manpages.debian.org/bookworm/bubblewrap/bwrap.1.en.html. Runs nothing. */
export function bubblewrapArguments(
  view: View,
  enclosure: Enclosure,
  waits: boolean,
  limits: Limits,
  version: string,
): readonly string[] {
  const inside = view.workspaceIn ?? "/workspace";
  const inMemory = (path: string) => [...sizeOf(limits, version), "--tmpfs", path];
  // Shared with whom it is told: this machine, or the network's owner.
  return [
    ...["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"],
    ...(view.network ? ["--share-net"] : []),
    ...["--json-status-fd", "3", "--args", "4"],
    ...(waits ? ["--block-fd", "5"] : []),
    ...(view.root ? filesOfImage(view.root, [inside, ...view.readable, ...view.writable]) : filesOfMachine),
    // Bound by its real path, because systemd-resolved's is a link into /run.
    ...(view.network && enclosure.network === null ? readableWhereItIs("/etc/resolv.conf") : []),
    ...(enclosure.network ? ["--ro-bind-data", "6", "/etc/resolv.conf"] : []),
    ...["--proc", "/proc", "--dev", "/dev", ...inMemory("/dev/shm"), "--remount-ro", "/dev"],
    ...[...inMemory("/run"), ...inMemory("/tmp")],
    // HOME and TMPDIR are on disk: what lies in memory counts against every other check.
    ...["--bind", view.scratch, scratchInside],
    ...view.readable.flatMap((path) => ["--ro-bind", path, path]),
    ...view.writable.flatMap((path) => ["--bind", path, path]),
    ...["--bind", view.workspace, inside, "--chdir", inside],
    ...["--remount-ro", "/"],
  ];
}

/**
 * A bubblewrap around the other whose user namespace owns the network: the inner one may move on to a second user namespace (it does for an
 * ordinary user), and whoever enters that cannot reach a network that belongs to the first.
 */
export const networkOwner = ["--unshare-user", "--unshare-net", "--die-with-parent", "--dev-bind", "/", "/", "--"] as const;

/**
 * What programs need to know of the machine to find users, hosts, certificates and libraries. A list, because `/etc` also holds keys: the
 * private halves beside the certificates are left out, since a server that runs as root could read them inside too.
 */
const publicSettings = [
  "passwd group nsswitch.conf host.conf hosts services protocols gai.conf localtime timezone os-release mime.types",
  "ld.so.cache ld.so.conf ld.so.conf.d ld-musl-x86_64.path ld-musl-aarch64.path alternatives ca-certificates",
  "ssl/certs ssl/cert.pem ssl/openssl.cnf pki/ca-trust pki/tls/certs pki/tls/cert.pem pki/tls/openssl.cnf crypto-policies",
].flatMap((line) => line.split(" "));

const filesOfMachine = [
  ...["--ro-bind", "/usr", "/usr"],
  // Links into /usr on most machines, folders on others: bound, both are right.
  ...["/bin", "/sbin", "/lib", "/lib32", "/lib64"].flatMap(readableWhereItIs),
  ...publicSettings.flatMap((name) => readableWhereItIs(`/etc/${name}`)),
];

/** Root is the one user that every image knows; it is the server's own user, without a power. */
function filesOfImage({ folder }: ImageRoot, bound: readonly string[]): readonly string[] {
  const ours = ["/dev", "/proc", "/run", "/sys", "/tmp", "/etc/resolv.conf", ...bound];
  return ["--uid", "0", "--gid", "0", ...imageArguments(folder, ours)];
}

function readableWhereItIs(path: string): readonly string[] {
  return ["--ro-bind-try", path, path];
}

/** Older ones do not know the option; then the kernel's half of the memory is the limit. */
function sizeOf({ inMemory }: Limits, version: string): readonly string[] {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 0 || minor >= 7 ? ["--size", String(inMemory)] : [];
}
