import { BlockList, isIP } from "node:net";
import { Wrong } from "./values.ts";

/** A host and, if it is named, its only port. */
export interface Address {
  readonly host: string;
  /** `null` stands for every port. */
  readonly port: number | null;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

const linkLocal = new BlockList();
linkLocal.addSubnet("169.254.0.0", 16, "ipv4");
linkLocal.addSubnet("fe80::", 10, "ipv6");

/** Whether only this machine can reach a host: `localhost`, a name below it, or a loopback address with or without brackets. */
export function isLoopback(host: string): boolean {
  const name = unbracketed(host).toLowerCase();
  return name === "localhost" || name.endsWith(".localhost") || contains(loopback, name);
}

/** Whether a host is no address but stands for all addresses of the machine. */
export function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || /^[0:]*:[0:]*$/.test(host);
}

/** An http address without query and slash at its end. */
export function webAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw new Wrong(`"${withoutPassword(text)}" is not an address; write one like "https://ci.example.com"`);
  }
  if (url.username !== "" || url.password !== "") throw new Wrong("has a user or password in it; leave them out");
  if (url.search !== "" || url.hash !== "") throw new Wrong(`"${text}" has a query or a fragment; leave it out`);
  return url.href.replace(/\/+$/, "");
}

/** A web address at the root of its host, because our pages have fixed addresses. */
export function publicUrl(text: string): string {
  const address = webAddress(text);
  const { origin, pathname } = new URL(address);
  if (pathname !== "/") throw new Wrong(`"${text}" has a path; the pages need a host of their own, for example "${origin}"`);
  return origin;
}

/** A name or address to listen on, without brackets. */
export function host(text: string): string {
  const name = unbracketed(text);
  if (isIP(name) > 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(name)) return name;
  throw new Wrong(`"${text}" is not a host; write a name or an address without port, for example "127.0.0.1"`);
}

/** A host with an optional port, as `GHE_HOST` has it. */
export function hostAndPort(text: string): string {
  if (/^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i.test(text) && URL.canParse(`https://${text}`)) return text.toLowerCase();
  throw new Wrong(`"${text}" is not a host; write it without protocol and path, for example "github.example.com:8443"`);
}

/** A loopback or link-local address that hostile URLs may reach: `127.0.0.1:8080`, `[::1]:8080`, `localhost`. */
export function innerAddress(text: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const name = (bracketed ?? plain ?? text).toLowerCase();
  if (name !== "localhost" && !contains(loopback, name) && !contains(linkLocal, name)) {
    throw new Wrong(
      `"${text}" is not a loopback or link-local address, and only those need to be allowed; write them like "127.0.0.1:8080"`,
    );
  }
  if (port !== undefined && Number(port) > 65_535) throw new Wrong(`"${text}" has a port above 65535`);
  return { host: name, port: port === undefined ? null : Number(port) };
}

/** A PostgreSQL address; it may hold a password, so no message quotes it. */
export function databaseUrl(text: string): string {
  if (/^postgres(ql)?:\/\//i.test(text) && URL.canParse(text)) return text;
  throw new Wrong('is not the address of a PostgreSQL database; write one like "postgres://signalbox@db.example.com/signalbox"');
}

function contains(addresses: BlockList, name: string): boolean {
  const family = isIP(name);
  return family !== 0 && addresses.check(name, family === 4 ? "ipv4" : "ipv6");
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/]*@/, "//***@");
}
