import type { z } from "zod";
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
}

export type Deployed =
  | { readonly kind: "live"; readonly release: unknown; readonly url?: string }
  /** `live: "unknown"` when it cannot be told whether the old release still answers. */
  | { readonly kind: "refused"; readonly reason: string; readonly live: "unchanged" | "unknown" };

/** One commit on its way to one environment. */
export interface DeployOrder {
  readonly sha: string;
  readonly environment: string;
  readonly repository: { readonly owner: string; readonly name: string };
  /** The built checkout. What it holds, links above all, comes from the repository and is hostile. */
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
}

/** A target among others: it parses its options itself, so that all of them fit into one map. */
export interface AnyTarget {
  readonly name: string;
  /** Takes what it returned once more: options are parsed in the repository's file and again here. */
  readonly options: z.ZodType;
  /** As `DeployTarget.deploy`; options that do not fit are `refused`. */
  deploy(options: unknown, order: DeployOrder, io: Io): Promise<Deployed>;
}

/** Checks a target's declaration by its type and makes it one among others. */
export function defineTarget<Options>(target: DeployTarget<Options>): AnyTarget {
  return {
    name: target.name,
    options: target.options,
    deploy: async (options, order, io) => {
      const parsed = target.options.safeParse(options);
      if (parsed.success) return target.deploy(parsed.data, order, io);
      const problems = parsed.error.issues.map(({ path, message }) => `${["with", ...path].join(".")}: ${message}`);
      return { kind: "refused", reason: problems.join("; "), live: "unchanged" };
    },
  };
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
