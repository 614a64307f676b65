import { sayDuration } from "./duration.ts";
import { quote } from "./mistake.ts";
import { list } from "./nearest.ts";
import type { Approvals, EnvironmentPlan, Freeze, RepositoryFile, RequireChecks } from "./repository-file.ts";

/**
 * What an edit of the file changes for deployments once it is merged, one sentence each: where they go, what is run for them and what holds
 * them back. Who writes the file is a stranger: what could hide or turn around what stands beside it is written out.
 */
export function whatAnEditChanges(base: RepositoryFile, head: RepositoryFile): readonly string[] {
  const sentences = [...checksChanged(base, head), ...environmentsChanged(base, head)];
  return sentences.length <= most ? sentences : [...sentences.slice(0, most), `and ${sentences.length - most} more changes`];
}

const most = 100;

/** Deployments wait for the checks of the file, so one that goes is a gate that opens. */
function checksChanged({ checks: before }: RepositoryFile, { checks: after }: RepositoryFile): readonly string[] {
  return [
    ...Object.keys(before).flatMap((name) => (after[name] === undefined ? [`checks: ${name} is removed`] : [])),
    ...Object.keys(after).flatMap((name) => (before[name] === undefined ? [`checks: ${name} is added`] : [])),
  ];
}

function environmentsChanged(
  { environments: before }: RepositoryFile,
  { environments: after }: RepositoryFile,
): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) => {
    const [old, now] = [before[name], after[name]];
    if (now === undefined) return [`${name}: is removed`];
    if (old === undefined) return [`${name}: is added, with ${said(facts(now)).join(", ")}`];
    return changed(facts(old), facts(now)).map((change) => `${name}: ${change}`);
  });
}

/** One thing that the file says of an environment. */
type Fact =
  /** Short enough to be shown; `null` where it says nothing. */
  | { readonly kind: "value"; readonly text: string | null }
  /** Commands: to be read in the file itself. */
  | { readonly kind: "command"; readonly text: string | null };

function facts(plan: EnvironmentPlan): ReadonlyMap<string, Fact> {
  const value = (text: string | null): Fact => ({ kind: "value", text });
  const { approvals, freeze, health } = plan;
  return new Map<string, Fact>([
    ["trigger", value(plan.trigger)],
    ["branch", value(plan.branch === null ? null : plain(plan.branch))],
    ["after", value(plan.after)],
    ["target", value(plan.target)],
    ...withFacts("", plan.with),
    ["build", { kind: "command", text: plan.build }],
    ["timeout", value(sayDuration(plan.timeout))],
    ["url", value(plan.url === null ? null : plain(plan.url))],
    ["require_checks", value(requiredInWords(plan.requireChecks))],
    ["approvals", value(approvals === null ? null : approvalsInWords(approvals))],
    ["freeze", value(freeze.length === 0 ? null : freeze.map(freezeInWords).join("; "))],
    ["health", value(health === null ? null : `${plain(health.url)} within ${sayDuration(health.within)}`)],
    ["health.expect", value(health?.expect == null ? null : plain(health.expect))],
    ["rollback", value(plan.rollback === "manual" ? null : plan.rollback)],
    ["paths", value(plan.paths === null ? null : plan.paths.map(plain).join(", "))],
    ["ttl", value(plan.ttl === null ? null : sayDuration(plan.ttl))],
    ["quota", value(plan.trigger === "pull_request" ? String(plan.quota) : null)],
  ]);
}

/** The keys of `with:` by their way: `host`, `restart.run`, `hosts.0`. */
function withFacts(way: string, value: unknown): readonly (readonly [string, Fact])[] {
  if (typeof value !== "object" || value === null) {
    const isCommand = /(?:^|\.)run$/.test(way);
    const text = isCommand ? String(value) : plain(String(value));
    return [[way, { kind: isCommand ? "command" : "value", text }]];
  }
  return Object.entries(value).flatMap(([key, inner]) => withFacts(way === "" ? plain(key) : `${way}.${plain(key)}`, inner));
}

function changed(before: ReadonlyMap<string, Fact>, after: ReadonlyMap<string, Fact>): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((key) => {
    const [old, now] = [before.get(key), after.get(key)];
    const [from, to] = [old?.text ?? null, now?.text ?? null];
    if (from === to) return [];
    if ((now ?? old)?.kind === "value") return [`${key} ${shortened(from ?? "none")} → ${shortened(to ?? "none")}`];
    return [`${key} ${from === null ? "is added" : to === null ? "is removed" : "changes"}`];
  });
}

function said(all: ReadonlyMap<string, Fact>): readonly string[] {
  return [...all].flatMap(([key, { kind, text }]) => {
    if (text === null) return [];
    return [kind === "value" ? `${key} ${shortened(text)}` : key];
  });
}

function requiredInWords(required: RequireChecks): string {
  return required.kind === "these" ? required.names.map(plain).join(", ") : required.kind;
}

function approvalsInWords({ count, users, teams }: Approvals): string {
  const whose = [...users, ...teams.map((team) => `team ${team}`)];
  return whose.length === 0 ? String(count) : `${count} by ${list(whose, "or")}`;
}

function freezeInWords({ days, from, to, timezone }: Freeze): string {
  const time = (minutes: number) =>
    `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  return `${days.length === 7 ? "every day" : days.join(", ")} ${time(from)} to ${time(to)} ${timezone}`;
}

/** As it stands in the file when nothing in it needs care, else in quotes. */
function plain(text: string): string {
  return /^[\w@.:/{}%?&=+~,#*-]+(?: [\w@.:/{}%?&=+~,#*-]+)*$/.test(text) && text.length <= 60 ? text : quote(text);
}

const longest = 200;

function shortened(text: string): string {
  const characters = [...text];
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join("")}…`;
}
