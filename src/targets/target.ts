import { z } from "zod";
import type { Callbacks } from "../elsewhere/callbacks.ts";
import type { Fetch } from "../outbound/fetch.ts";
import type { Io } from "../process/io.ts";
import type { Sandbox } from "../process/sandbox.ts";

/** A place that commits are deployed to. Declare one with `defineTarget`. */
export interface DeployTarget<Options> {
  /** The `target:` value in a repository's file. */
  readonly name: string;
  /** The shape of `with:`; the reference page is generated from its descriptions. */
  readonly options: z.ZodType<Options>;
  /**
   * Settles only when nothing of ours works there any more, aborted or not. What is thrown after `stop` is the
   * cancellation, anything else thrown is `errored`; `refused` is `failed`. May be called again for the same order
   * after a crash, so it is fenced by the target's own means.
   */
  deploy(options: Options, order: DeployOrder, io: Io): Promise<Deployed>;
  /**
   * Puts back a release that was live, as `deploy` returned it; in all else like `deploy`. `refused` when it is not there any more: then its
   * commit can be deployed again. The order's workspace may be missing.
   */
  restore?(options: Options, release: unknown, order: DeployOrder, io: Io): Promise<Deployed>;
  /**
   * Takes away, for good, all that `deploy` ever put in place with these options: a preview that is over. Safe to repeat, also where nothing is
   * there (any more); in all else like `deploy`. There is no checkout: the order's workspace is missing.
   */
  remove?(options: Options, order: DeployOrder, io: Io): Promise<Removed>;
  /** The shape of `with:` in an environment for previews, where `remove` needs more than `deploy` does. */
  readonly previewOptions?: z.ZodType<Options>;
  /**
   * Goes on with what `deploy` or `restore` had remembered when the server ended, and returns as they do; `null` when nothing was begun, so
   * that it can begin anew. The order's workspace may be missing. Without it the target's deployments are lost when the server dies, and
   * what it remembers is forgotten.
   */
  resume?(options: Options, remembered: unknown, order: DeployOrder, io: Io): Promise<Deployed | null>;
}

export type Removed = { readonly kind: "removed" } | { readonly kind: "refused"; readonly reason: string };

export type Deployed = { readonly kind: "live"; readonly release: unknown; readonly url?: string } | Refused;

/** `live: "unknown"` when it cannot be told whether the old release still answers. */
export interface Refused {
  readonly kind: "refused";
  readonly reason: string;
  readonly live: "unchanged" | "unknown";
}

/** One commit on its way to one environment. */
export interface DeployOrder {
  readonly sha: string;
  readonly environment: string;
  readonly repository: { readonly owner: string; readonly name: string; readonly cloneUrl: string };
  /** The branch, or the SHA where it is not known. */
  readonly ref: string;
  /** Address of the run's page. It names this deployment among all others: what is created elsewhere carries it, and is found by it again. */
  readonly run: string;
  /** What is live in the environment before this one (`after`), when it is the same commit. */
  readonly previous: { readonly target: string; readonly release: unknown } | null;
  /** The built checkout. What it holds, links above all, comes from the repository and is hostile. What a target puts beside it is removed with it. */
  readonly workspace: string;
  /** Folders outside it that a program may read. */
  readonly readable: readonly string[];
  readonly path: readonly string[];
  readonly sandbox: Sandbox;
  /** To be handed to each process, so that a dead server's processes are found. */
  readonly mark: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** Absolute folders below which this repository may write; the first is its own and the base of relative paths. */
  readonly allowedPaths: readonly [string, ...string[]];
  /** The operator's file of host keys, in the form of ssh's `known_hosts`; it may be missing. */
  readonly knownHosts: string;
  /** The value of a secret that the environment's `with:` names, masked from now on in what `io` keeps; null when it is not set. */
  secret(name: string): Promise<string | null>;
  /** Asks an address from the repository's file. */
  readonly fetch: Fetch;
  readonly callbacks: Callbacks;
  /** From here on the value is taken out of what `io` keeps; of secrets that is done already. */
  conceal(value: string): void;
  /** Does the work while no other deployment to this environment does; who comes second waits, and the log says so. */
  alone<Result>(io: Pick<Io, "write" | "stop">, work: () => Promise<Result>): Promise<Result>;
}

/** A target among others: it parses its options itself, so that all of them fit into one map. */
export interface AnyTarget {
  readonly name: string;
  /** Takes what it returned once more: options are parsed in the repository's file and again here. */
  readonly options: z.ZodType;
  /** As `DeployTarget.deploy`; options that do not fit are `refused`. */
  deploy(options: unknown, order: DeployOrder, io: Io): Promise<Deployed>;
  /** As `DeployTarget.restore`; null for a target that cannot. */
  readonly restore: ((options: unknown, release: unknown, order: DeployOrder, io: Io) => Promise<Deployed>) | null;
  /** As `DeployTarget.remove`; null for a target that cannot, and so cannot have previews. */
  readonly remove: ((options: unknown, order: DeployOrder, io: Io) => Promise<Removed>) | null;
  /** The shape of `with:` for previews; null where there are none. */
  readonly previewOptions: z.ZodType | null;
  /** As `DeployTarget.resume`; null for a target that cannot go on. */
  readonly resume: ((options: unknown, remembered: unknown, order: DeployOrder, io: Io) => Promise<Deployed | null>) | null;
}

/** Checks a target's declaration by its type and makes it one among others. */
export function defineTarget<Options>(target: DeployTarget<Options>): AnyTarget {
  const restore = target.restore?.bind(target);
  const remove = target.remove?.bind(target);
  const resume = target.resume?.bind(target);
  const withOptions = async <Result>(options: unknown, work: (parsed: Options) => Promise<Result>): Promise<Result | Refused> => {
    const parsed = target.options.safeParse(options);
    if (parsed.success) return work(parsed.data);
    const problems = parsed.error.issues.map(({ path, message }) => `${["with", ...path].join(".")}: ${message}`);
    return { kind: "refused", reason: problems.join("; "), live: "unchanged" };
  };
  const ioOf = (io: Io): Io => (resume === undefined ? forgetful(io) : io);
  return {
    name: target.name,
    options: target.options,
    deploy: (options, order, io) => withOptions(options, (parsed) => target.deploy(parsed, order, ioOf(io))),
    restore: restore
      ? (options, release, order, io) => withOptions(options, (parsed) => restore(parsed, release, order, ioOf(io)))
      : null,
    resume: resume
      ? (options, remembered, order, io) => withOptions(options, (parsed) => resume(parsed, remembered, order, io))
      : null,
    remove: remove ? (options, order, io) => withOptions(options, (parsed) => remove(parsed, order, forgetful(io))) : null,
    previewOptions: remove ? (target.previewOptions ?? target.options) : null,
  };
}

/** What is remembered says that a deployment goes on without us: not to be said by what does not. */
function forgetful(io: Io): Io {
  return { ...io, remember: async () => {} };
}

/** The name of a secret in a target's options. */
export const secretName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, {
  error: "must be the name of a secret: letters, digits and underscores, not a digit first",
});

/** What is said when a secret that is needed is not set. */
export function missingSecret(name: string, { repository: { owner, name: repository }, environment }: DeployOrder): Refused {
  const command = `bin/signalbox secret set ${owner}/${repository} ${name} --environment ${environment}`;
  return { kind: "refused", reason: `the secret ${name} is not set; set it with: ${command}`, live: "unchanged" };
}

/** Trouble with the machine that only its operator can mend; thrown by a target it ends the run as `errored`. */
export class OperatorProblem extends Error {
  override readonly name = "OperatorProblem";
  /** What to do, one sentence. */
  readonly fix: string;

  constructor(what: string, fix: string, options?: ErrorOptions) {
    super(what, options);
    this.fix = fix;
  }
}
