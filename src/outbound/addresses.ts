import { BlockList, isIP } from "node:net";

/** A host and, if it is named, its only port, as `OUTBOUND_ALLOW` has them. */
export interface AllowedAddress {
  /** An IP address without brackets, or `localhost` for every loopback address. */
  readonly host: string;
  /** `null` stands for every port. */
  readonly port: number | null;
}

const loopback = blockList(["127.0.0.0/8", "::1/128"]);
/** A block list also finds an IPv4 address that is written as IPv6 (`::ffff:127.0.0.1`). */
const inner = blockList([
  "127.0.0.0/8",
  "169.254.0.0/16",
  // "This host" reaches what listens on loopback, https://www.rfc-editor.org/rfc/rfc6890#section-2.2.2
  "0.0.0.0/8",
  "fe80::/10",
  // Unspecified, loopback, and two forgotten ways to write IPv4 as IPv6.
  "::/96",
  "::ffff:0:0:0/96",
  // The same IPv4 addresses behind a translator, https://www.rfc-editor.org/rfc/rfc6052 and https://www.rfc-editor.org/rfc/rfc3056
  "64:ff9b::/104",
  "64:ff9b::7f00:0/104",
  "64:ff9b::a9fe:0/112",
  "2002::/24",
  "2002:7f00::/24",
  "2002:a9fe::/32",
  // Where clouds answer with a machine's own credentials and are not link-local: AWS, Google, Alibaba, Oracle, Azure.
  "fd00:ec2::254/128",
  "fd20:ce::254/128",
  "100.100.100.200/32",
  "192.0.0.192/32",
  "168.63.129.16/32",
]);

/** Whether a connection to an IP address is fine: it leads away from this machine and its cloud's own services, or the operator allows it. */
export function mayReach(address: string, port: number, allow: readonly AllowedAddress[]): boolean {
  // The zone of a scoped address (`fe80::1%eth0`) only says through which interface.
  const plain = address.split("%", 1)[0] ?? "";
  if (isIP(plain) === 0) return false;
  return !contains(inner, plain) || allow.some((allowed) => isFor(allowed, plain, port));
}

function isFor({ host, port: only }: AllowedAddress, address: string, port: number): boolean {
  if (only !== null && only !== port) return false;
  if (host === "localhost") return contains(loopback, address);
  return isIP(host) !== 0 && contains(blockList([`${host}/${isIP(host) === 4 ? 32 : 128}`]), address);
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 4 ? "ipv4" : "ipv6");
}

function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = "", bits] = subnet.split("/");
    list.addSubnet(network, Number(bits), isIP(network) === 4 ? "ipv4" : "ipv6");
  }
  return list;
}
