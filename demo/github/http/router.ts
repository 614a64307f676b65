import type { IncomingHttpHeaders } from "node:http";
import type { RepositoryState } from "../repository-state.ts";
import { findRepository, type World } from "../world.ts";
import { type Caller, requireApp, requireRepository } from "./access.ts";
import { type Answer, notFound } from "./answers.ts";

/** One request, read completely. */
export interface Call {
  readonly world: World;
  readonly method: string;
  /** On our own origin, whatever `Host` said. */
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly parameters: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly caller: Caller;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;

export interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly handler: Handler;
}

/** `:name` matches one segment, `:name*` the rest of the path. */
export function route(method: string, path: string, handler: Handler): Route {
  const source = path
    .replace(/[.]/g, "\\.")
    .replace(/:(\w+)(\*?)/g, (_, name: string, rest: string) => `(?<${name}>${rest ? ".*" : "[^/]+"})`);
  return { method, pattern: new RegExp(`^${source}$`), handler };
}

/** A route of the App itself, called with its JSON web token. */
export function appRoute(method: string, path: string, handler: Handler): Route {
  return route(method, path, (call) => {
    requireApp(call.caller);
    return handler(call);
  });
}

/** A route below `/repos/{owner}/{repo}`; the caller needs one of the permissions (`statuses:write`). */
export function repositoryRoute(
  method: string,
  path: string,
  permissions: readonly string[],
  handler: (call: Call, repository: RepositoryState) => Answer | Promise<Answer>,
): Route {
  return route(method, `/repos/:owner/:repo${path}`, (call) => {
    const repository = findRepository(call.world, parameter(call, "owner"), parameter(call, "repo"));
    return handler(call, requireRepository(call.world, call.caller, repository, permissions));
  });
}

/** The handler of the first route that fits, with the parameters of its path. */
export function match(
  routes: readonly Route[],
  method: string,
  path: string,
): { handler: Handler; parameters: Record<string, string> } | null {
  for (const { method: expected, pattern, handler } of routes) {
    const found = expected === method ? pattern.exec(path) : null;
    if (!found) continue;
    const entries = Object.entries(found.groups ?? {}).map(([name, value]) => [name, decoded(value)]);
    return { handler, parameters: Object.fromEntries(entries) };
  }
  return null;
}

/** A part of the path by its name in the pattern; throws for a name that the pattern does not have. */
export function parameter(call: Call, name: string): string {
  const value = call.parameters[name];
  if (value === undefined) throw new Error(`the route has no parameter ${name}`);
  return value;
}

/** The number in the path; anything else is not found. */
export function numberIn(call: Call, name: string): number {
  const value = parameter(call, name);
  if (!/^\d{1,15}$/.test(value)) throw notFound();
  return Number(value);
}

/** A piece of a path as it was meant; broken escapes are not found. */
export function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw notFound();
  }
}
