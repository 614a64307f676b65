/** What a repository asks for in `.github/signalbox.yml`, checked, with every default filled in. Its maps have no prototype: any name can be looked up. */
export interface RepositoryFile {
  readonly checks: Readonly<Record<string, CheckPlan>>;
  readonly environments: Readonly<Record<string, EnvironmentPlan>>;
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
}

/** One command text for `/bin/sh`. It has no name where `run` is a text instead of a list. */
export interface Step {
  readonly name: string | null;
  readonly run: string;
}

/** How commits reach a place; its name is its key. */
export interface EnvironmentPlan {
  readonly trigger: "merge" | "push" | "manual";
  /** `null`: the repository's default branch. */
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
}

/** Which checks gate a deployment; `names` are checks of the same file, at least one. */
export type RequireChecks =
  | { readonly kind: "all" }
  | { readonly kind: "none" }
  | { readonly kind: "these"; readonly names: readonly string[] };

/** The value of `with:`, plain JSON data. */
export type Options = Readonly<Record<string, unknown>>;
