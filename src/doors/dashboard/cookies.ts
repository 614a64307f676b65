import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { isLoopback } from "../../settings/addresses.ts";

/** Cookies that only this very host gets, that no script reads and that no other site's form sends. */
export interface Cookies {
  get(c: Context, name: string): string | undefined;
  /** `seconds` is how long the browser keeps it. */
  set(c: Context, name: string, value: string, seconds: number): void;
  remove(c: Context, name: string): void;
}

/**
 * Always `__Host-` and Secure, but on plain http at loopback: some browsers keep no Secure cookie there, and nobody can listen.
 * On plain http elsewhere browsers refuse the cookie, and so nobody is signed in over a line that others can read.
 */
export function cookiesFor(publicUrl: string): Cookies {
  const plain = isPlainLoopback(publicUrl);
  const full = (name: string) => (plain ? `signalbox-${name}` : `__Host-signalbox-${name}`);
  const options = { path: "/", httpOnly: true, sameSite: "Lax", secure: !plain } as const;
  return {
    get: (c, name) => getCookie(c, full(name)),
    set: (c, name, value, seconds) => setCookie(c, full(name), value, { ...options, maxAge: seconds }),
    remove: (c, name) => void deleteCookie(c, full(name), options),
  };
}

/** Whether a browser keeps our cookies at all. */
export function keepsCookies(publicUrl: string): boolean {
  return publicUrl.startsWith("https:") || isPlainLoopback(publicUrl);
}

function isPlainLoopback(publicUrl: string): boolean {
  const { protocol, hostname } = new URL(publicUrl);
  return protocol === "http:" && isLoopback(hostname);
}
