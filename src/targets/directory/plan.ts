import { isAbsolute, relative, resolve } from "node:path";
import { Refusal } from "./refusal.ts";

/** Where a `path:` leads when no link is in the way: absolute, at or below one of the allowed folders. Throws a `Refusal` that names what is allowed. */
export function destinationOf(path: string, order: Allowed): string {
  if (path.trim() === "") throw new Refusal(`path is empty; ${sayAllowed(order)}`);
  if (path.includes("\0")) throw new Refusal(`path: ${JSON.stringify(path)} holds a NUL; ${sayAllowed(order)}`);
  const destination = resolve(order.allowedPaths[0], path);
  if (!order.allowedPaths.some((allowed) => isWithin(allowed, destination))) throw leadsElsewhere(path, order);
  return destination;
}

/** What a repository may write to, as far as the plan asks about it. */
export interface Allowed {
  readonly repository: { readonly owner: string; readonly name: string };
  readonly allowedPaths: readonly [string, ...string[]];
}

/** A path that leads, through a link or not, to where the repository may not write. */
export function leadsElsewhere(path: string, order: Allowed): Refusal {
  return new Refusal(`path: ${JSON.stringify(path)} leads to a folder that is not allowed; ${sayAllowed(order)}`);
}

/** A path on which something is in the way. */
export function meetsNoFolder(path: string, order: Allowed): Refusal {
  return new Refusal(`path: ${JSON.stringify(path)} meets a file, or a link that leads nowhere; ${sayAllowed(order)}`);
}

/** The data directory's place is nobody's business; what the operator names in DEPLOY_PATHS is. */
function sayAllowed({ repository: { owner, name }, allowedPaths: [, ...more] }: Allowed): string {
  const others = more.length > 0 ? `, or an absolute one below ${more.join(" or ")}` : "; others are the operator's DEPLOY_PATHS";
  return `${owner}/${name} may have a path relative to its own folder sites/${owner}/${name}${others}`;
}

/** Whether an absolute path is a folder or something in it; tells nothing about links. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way.split("/")[0] !== ".." && !isAbsolute(way));
}

/**
 * Whether a symbolic link, given by its path in the release, stays in it. Only targets that go up first and then down can be told without
 * following what they pass: `a/../b` leads elsewhere when `a` is a link itself.
 */
export function staysInside(link: string, target: string): boolean {
  const parts = target.split("/").filter((part) => part !== "." && part !== "");
  const up = parts.filter((part) => part === "..").length;
  const upFirst = parts.slice(0, up).every((part) => part === "..");
  return !isAbsolute(target) && upFirst && up < link.split("/").length;
}

/** `20261122T140501Z-4be07d1`; a second one within the same second ends in `.2`. */
export function releaseName(sha: string, now: Date, existing: readonly string[]): string {
  const second = now.toISOString().replace(/[-:]|\.\d+/g, "");
  const numbers = existing.flatMap((name) => {
    const release = parseRelease(name);
    return release?.second === second ? [release.number] : [];
  });
  const number = Math.max(0, ...numbers) + 1;
  return `${second}-${sha.slice(0, 7)}${number > 1 ? `.${number}` : ""}`;
}

/** The oldest releases beyond the newest `keep`, never the current one and never a folder that is not called like a release. */
export function releasesToRemove(names: readonly string[], current: string, keep: number): readonly string[] {
  const newestFirst = names
    .flatMap((name) => {
      const release = parseRelease(name);
      return release && name !== current ? [{ name, ...release }] : [];
    })
    .sort((a, b) => (a.second === b.second ? b.number - a.number : a.second < b.second ? 1 : -1));
  return newestFirst.slice(keep - 1).map(({ name }) => name);
}

function parseRelease(name: string): { readonly second: string; readonly number: number } | null {
  const [, second, number] = /^(\d{8}T\d{6}Z)-[0-9a-f]{7}(?:\.(\d+))?$/.exec(name) ?? [];
  return second === undefined ? null : { second, number: Number(number ?? 1) };
}
