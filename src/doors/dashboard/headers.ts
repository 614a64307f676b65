import { createMiddleware } from "hono/factory";
import { isLoopback } from "../../settings/addresses.ts";
import type { House, Visit } from "./house.ts";

// Nothing inline, nothing from elsewhere; scripts can put text on a page, never markup.
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** Puts the headers on every answer that keep a page's content from becoming code, and its address from leaving the house. */
export function withHeaders({ settings }: Pick<House, "settings">) {
  const isHttps = settings.publicUrl.startsWith("https:");
  return createMiddleware<Visit>(async (c, next) => {
    await next();
    c.header("Content-Security-Policy", contentSecurityPolicy);
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Referrer-Policy", "same-origin");
    c.header("Cross-Origin-Opener-Policy", "same-origin");
    c.header("Cross-Origin-Resource-Policy", "same-origin");
    if (!c.res.headers.has("Cache-Control")) c.header("Cache-Control", "private, no-cache");
    if (isHttps) c.header("Strict-Transport-Security", "max-age=31536000");
  });
}

/**
 * Where nobody signs in, refuses requests that name another host than this machine: a page elsewhere can point its own name at
 * 127.0.0.1 and would read everything through the browser of somebody who works here.
 */
export function onlyFromThisMachine() {
  return createMiddleware<Visit>(async (c, next) => {
    const host = c.req.header("host") ?? "";
    const name = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : "";
    if (isLoopback(name)) return next();
    return c.text("Without sign-in these pages are only for this machine: open them as localhost or 127.0.0.1\n", 403);
  });
}
