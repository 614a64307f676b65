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

/**
 * Names that look like a mistyped check of this file, or like a status of Signalbox itself. What else is no check is the context of
 * somebody else's status or check run; with a slash or a space in it, it is never taken for a mistyped one.
 */
export function requiredCheckProblems(path: Path, required: unknown, checks: readonly string[]): readonly Problem[] {
  if (!Array.isArray(required)) return [];
  return required.flatMap((name: unknown, at) => {
    if (typeof name !== "string" || checks.includes(name)) return [];
    const problem = problemOfContext(name, checks);
    return problem === null ? [] : [{ path: [...path, at], problem }];
  });
}

function problemOfContext(name: string, checks: readonly string[]): string | null {
  if (name.trim() !== name || name === "") return `${quote(name)} is empty, or has spaces around it`;
  const own = /^signalbox\/(.*)$/i.exec(name)?.[1];
  if (own !== undefined && checks.includes(own))
    return `${quote(name)} is the status of a check of this file; write ${quote(own)}`;
  if (name.toLowerCase() === "signalbox")
    return `${quote(name)} is the status of all checks of this file; write require_checks: all`;
  return !/[/ ]/.test(name) && nearest(name, checks) ? noSuchName(name, "a check of this file", checks) : null;
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
