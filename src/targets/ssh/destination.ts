import { isIP } from "node:net";
import { z } from "zod";

/** A server as ssh is told of it. */
export interface Destination {
  /** As the repository's file names it. */
  readonly name: string;
  /** Null for the server's own user. */
  readonly user: string | null;
  readonly host: string;
  readonly port: number;
}

// Neither can be taken for an option of ssh's.
const user = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}";
const host = "[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\]";
const shape = new RegExp(`^(?:(?<user>${user})@)?(?<host>${host})(?::(?<port>[0-9]{1,5}))?$`);

/** `user@host:port` in a repository's file, where user and port may be left out. */
export const destinationText = z.string().refine((text) => parse(text) !== null, {
  error: 'must be a server such as "deploy@web.example.com" or "deploy@[2001:db8::1]:2222"',
});

/** What a text that fits `destinationText` means. */
export function destinationOf(name: string): Destination {
  const destination = parse(name);
  if (destination === null) throw new Error(`${JSON.stringify(name)} is no server`);
  return destination;
}

function parse(name: string): Destination | null {
  const groups = shape.exec(name)?.groups;
  if (groups?.host === undefined) return null;
  const isLiteral = groups.host.startsWith("[");
  const bare = isLiteral ? groups.host.slice(1, -1) : groups.host;
  const port = Number(groups.port ?? 22);
  if ((isLiteral && isIP(bare) !== 6) || port < 1 || port > 65_535) return null;
  return { name, user: groups.user ?? null, host: bare, port };
}
