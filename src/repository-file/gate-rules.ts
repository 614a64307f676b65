import { notAvailable } from "./later.ts";
import type { Path, Problem } from "./mistake.ts";
import { quote } from "./mistake.ts";
import { nearest } from "./nearest.ts";
import { noSuchName } from "./problems.ts";

/** An `after:` that names nothing, or that leads back to its own environment. */
export function afterProblems(after: ReadonlyMap<string, string | undefined>): readonly Problem[] {
  const told = new Set<string>();
  return [...after].flatMap(([environment, previous]) => {
    if (previous === undefined) return [];
    const path = ["environments", environment, "after"];
    if (!after.has(previous)) return [{ path, problem: noSuchName(previous, "an environment of this file", [...after.keys()]) }];
    const circle = told.has(environment) ? [] : circleFrom(environment, after);
    for (const member of circle) told.add(member);
    return circle.length ? [{ path, problem: `goes round in a circle: ${circle.join(" after ")}` }] : [];
  });
}

/** Names that are no check of this file; with a slash or not, they can be contexts of others, which do not gate yet. */
export function requiredCheckProblems(path: Path, required: unknown, checks: readonly string[]): readonly Problem[] {
  if (!Array.isArray(required)) return [];
  return required.flatMap((name: unknown, at) => {
    if (typeof name !== "string" || checks.includes(name)) return [];
    const problem = nearest(name, checks)
      ? noSuchName(name, "a check of this file", checks)
      : `${quote(name)} is not a check of this file, and statuses of others are ${notAvailable}; remove it`;
    return [{ path: [...path, at], problem }];
  });
}

/** The environments from this one back to itself; empty when the way does not lead back. */
function circleFrom(start: string, after: ReadonlyMap<string, string | undefined>): readonly string[] {
  const way = [start];
  for (let at = after.get(start); at !== undefined && !way.slice(1).includes(at); at = after.get(at)) {
    way.push(at);
    if (at === start) return way;
  }
  return [];
}
