/** What a repository asks for in `.github/signalbox.yml`, checked, with every default filled in. Its maps have no prototype: any name can be looked up. */
export interface RepositoryFile {
  readonly checks: Readonly<Record<string, CheckPlan>>;
  readonly environments: Readonly<Record<string, EnvironmentPlan>>;
  /** `null`: people merge. Only the default branch's counts. */
  readonly automerge: Automerge | null;
  /** Which chats are told of what; only the default branch's count. */
  readonly notify: readonly Chat[];
}

/** How a check runs; its name is its key. */
export interface CheckPlan {
  readonly runner: string;
  /** What the runner's own schema accepts, still with its `{{ … }}`: fill it in with `renderOptions`, then parse it with that schema. */
  readonly with: Options;
  /** In order; never empty for the runner `local`. */
  readonly steps: readonly Step[];
  /** Milliseconds, for all steps together. */
  readonly timeout: number;
  /** For `pathsMatch`; `null`: the check runs whatever changed. */
  readonly paths: readonly string[] | null;
  readonly env: Readonly<Record<string, string>>;
  /** Folders that a passed run leaves to the next: relative to the workspace, or to HOME with a leading `~/`. */
  readonly cache: readonly string[];
  /** The whole name of an image of containers, its registry first; `null`: the commands see the machine's own files. */
  readonly image: string | null;
}

/** One command text for `/bin/sh`. It has no name where `run` is a text instead of a list. */
export interface Step {
  readonly name: string | null;
  readonly run: string;
}

/** How commits reach a place; its name is its key. */
export interface EnvironmentPlan {
  /** `pull_request`: this is no place itself, but one for each pull request. */
  readonly trigger: "merge" | "push" | "pull_request" | "manual";
  /** `null`: the repository's default branch; for previews every branch that pull requests go into. */
  readonly branch: string | null;
  /** The environment whose success promotes the same commit to this one; the file has it, and there is no circle. */
  readonly after: string | null;
  readonly target: string;
  /** What the target's own schema accepts, still with its `{{ … }}`: fill it in with `renderOptions`, then parse it with that schema. */
  readonly with: Options;
  readonly build: string | null;
  /** Milliseconds, for build and target together. */
  readonly timeout: number;
  /** Still with its `{{ … }}`: fill it in with `renderUrl`. */
  readonly url: string | null;
  readonly requireChecks: RequireChecks;
  /** `null`: nobody has to. */
  readonly approvals: Approvals | null;
  readonly freeze: readonly Freeze[];
  readonly health: Health | null;
  /** What happens when a deployment fails after the switch. */
  readonly rollback: "automatic" | "manual";
  /** For `pathsMatch`; `null`: whatever changed is deployed. */
  readonly paths: readonly string[] | null;
  /** Milliseconds that a preview stays without a push; `null`: as long as its pull request is open. */
  readonly ttl: number | null;
  /** How many previews there are at once. */
  readonly quota: number;
}

/** People who must say yes to a commit. Without users and teams it is anybody who may write to the repository. */
export interface Approvals {
  readonly count: number;
  readonly users: readonly string[];
  /** As in their addresses, of the organization that owns the repository. */
  readonly teams: readonly string[];
}

/** A time of the week in which nothing is deployed. */
export interface Freeze {
  /** On which it begins. */
  readonly days: readonly Weekday[];
  /** Minutes since midnight, 0 to 1440; an end that is not after the beginning is that of the next day. */
  readonly from: number;
  readonly to: number;
  /** A name that `Intl` knows. */
  readonly timezone: string;
  /** Empty when none is given. */
  readonly reason: string;
}

export type Weekday = "sun" | "mon" | "tue" | "wed" | "thu" | "fri" | "sat";

/** What proves that a deployment works. */
export interface Health {
  /** Still with its `{{ … }}`: fill it in with `renderUrl`. */
  readonly url: string;
  /** Milliseconds. */
  readonly within: number;
  /** What the answer must contain, still with its `{{ … }}`: fill it in with `renderTemplate`. `null`: any answer with status 2xx is healthy. */
  readonly expect: string | null;
}

/** Which checks gate a deployment; `names` are checks of the same file or contexts of others, at least one. */
export type RequireChecks =
  | { readonly kind: "all" }
  | { readonly kind: "none" }
  | { readonly kind: "these"; readonly names: readonly string[] };

/** The value of `with:`, plain JSON data. */
export type Options = Readonly<Record<string, unknown>>;

/** Which pull requests are merged when they are green, and how. */
export interface Automerge {
  readonly method: "merge" | "squash" | "rebase";
  /** `null`: all that are no drafts. */
  readonly label: string | null;
}

/** A chat that is told what happens. */
export interface Chat {
  readonly service: string;
  /** Name of the secret that holds the address of its webhook. */
  readonly address: string;
  /** Name of the secret that signs what it is sent; only for the signed webhook. */
  readonly key: string | null;
  readonly events: readonly ChatEvent[];
}

export type ChatEvent = "failure" | "recovery" | "waiting" | "started" | "deployed" | "rolled_back";
