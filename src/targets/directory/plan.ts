import { resolve } from "node:path";
import { isWithin } from "../release/paths.ts";
import { Refusal } from "../release/refusal.ts";

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
