import type { z } from "zod";
import type { Io } from "../process/io.ts";
import type { Sandbox } from "../process/sandbox.ts";

/** What executes a check. */
export interface Runner<Options> {
  /** The `runner:` value in a repository's file. */
  readonly name: string;
  /** The shape of `with:`; the reference page is generated from its descriptions. */
  readonly options: z.ZodType<Options>;
  /**
   * Settles only when nothing of ours works there any more, aborted or not. What is thrown after `stop` is the
   * cancellation; anything else thrown is `errored`.
   */
  run(options: Options, order: CheckOrder, io: CheckIo): Promise<CheckEnding>;
}

/** How a check ended; `what` completes the sentence "Failed: …". */
export type CheckEnding =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly what: string; readonly exitCode?: number };

/** One check on one commit. */
export interface CheckOrder {
  /** The checked-out commit, ours to write in. */
  readonly workspace: string;
  /** Folders outside it that the check may read: the mirror's objects and the operator's tools. */
  readonly readable: readonly string[];
  /** Folders whose programs come first on PATH. */
  readonly path: readonly string[];
  readonly sandbox: Sandbox;
  /** To be handed to each process, so that a dead server's processes are found. */
  readonly mark: Readonly<Record<string, string>>;
  /** What every check is told: CI, SIGNALBOX, the commit … */
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout: number;
}

/** What a runner may use of the run that it executes. */
export interface CheckIo extends Io {
  /** Opens a step in the log; steps do not nest. */
  step(name: string): Promise<Step>;
}

export interface Step {
  /** `null` where there is no such thing as an exit code. */
  end(exitCode: number | null): Promise<void>;
}

/** A runner among others: it parses its options itself, so that all of them fit into one map. */
export interface AnyRunner {
  readonly name: string;
  /** Takes what it returned once more: options are parsed in the repository's file and again here. */
  readonly options: z.ZodType;
  /** As `Runner.run`; options that do not fit are `failed`. */
  run(options: unknown, order: CheckOrder, io: CheckIo): Promise<CheckEnding>;
}

/** Checks a runner's declaration by its type and makes it one among others. */
export function defineRunner<Options>(runner: Runner<Options>): AnyRunner {
  return {
    name: runner.name,
    options: runner.options,
    run: async (options, order, io) => {
      const parsed = runner.options.safeParse(options);
      if (parsed.success) return runner.run(parsed.data, order, io);
      const problems = parsed.error.issues.map(({ path, message }) => `${["with", ...path].join(".")}: ${message}`);
      return { kind: "failed", what: problems.join("; ") };
    },
  };
}
