import type { z } from "zod";
import type { Callbacks } from "../elsewhere/callbacks.ts";
import type { Fetch } from "../outbound/fetch.ts";
import type { CachePlace, Kept, Restored } from "../process/cache.ts";
import type { ImageRoot } from "../process/image-root.ts";
import type { Io } from "../process/io.ts";
import type { Sandbox } from "../process/sandbox.ts";

/** What executes a check. */
export interface Runner<Options> {
  /** The `runner:` value in a repository's file. */
  readonly name: string;
  /** The shape of `with:`; the reference page is generated from its descriptions. */
  readonly options: z.ZodType<Options>;
  /**
   * Settles only when nothing of ours works there any more, aborted or not; but after `shutdown` and `lease lost` a build elsewhere goes
   * on, and the next call finds it in `remembered`. What is thrown after `stop` is the cancellation; anything else thrown
   * is a bug, or `retryable`: then the check is tried again.
   */
  run(options: Options, order: CheckOrder, io: CheckIo): Promise<CheckEnding>;
}

/** How a check ended; `what` of `failed` completes the sentence "Failed: …", for its author. `errored` is for the operator. */
export type CheckEnding =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly what: string; readonly exitCode?: number }
  | { readonly kind: "errored"; readonly what: string; readonly fix?: string };

/** One check on one commit. */
export interface CheckOrder {
  /** The check's name. */
  readonly name: string;
  readonly commit: Commit;
  /** Counts the tries of the run, from 1. */
  readonly attempt: number;
  /** What comes from a fork gets no network on this machine. */
  readonly trust: "own" | "fork";
  /** Address of the run's page. */
  readonly link: string;
  /** What every check is told, wherever it runs: `SIGNALBOX_SHA`, … */
  readonly facts: Readonly<Record<string, string>>;
  /** The check's own `env:`. */
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout: number;
  /** Checks the commit out on this machine, as a step of the log; the executor removes it afterwards. Called twice it is the same. */
  checkOut(): Promise<Workplace>;
  /** A secret of the repository that the check's `with:` names; `null` for any other, and where it is not set. Never to be handed to what the commit brings along. */
  secret(name: string): Promise<string | null>;
  /** Asks an address from the repository's file. */
  readonly fetch: Fetch;
  readonly callbacks: Callbacks;
}

export interface Commit {
  readonly owner: string;
  readonly name: string;
  readonly sha: string;
  /** The branch; `null` where it is not known. */
  readonly ref: string | null;
  readonly pullRequest: number | null;
  readonly cloneUrl: string;
}

/** A check-out on this machine, and what commands in it may use. */
export interface Workplace {
  /** The commit's files, ours to write in. */
  readonly workspace: string;
  /** Folders outside it that the check may read: the mirror's objects and the operator's tools. */
  readonly readable: readonly string[];
  /** Folders whose programs come first on PATH. */
  readonly path: readonly string[];
  readonly sandbox: Sandbox;
  /** Null: commands see the machine's own files. */
  readonly root: ImageRoot | null;
  /** To be handed to each process, so that a dead server's processes are found. */
  readonly mark: Readonly<Record<string, string>>;
  /** Null where nothing may be kept: a fork would leave it to others. */
  readonly cache: CheckCache | null;
}

/** What this check keeps from run to run, by the paths of its `cache:`; see `Caches`. */
export interface CheckCache {
  restore(path: string, to: CachePlace, stop: AbortSignal): Promise<Restored>;
  /** Takes the folder away; to be called only by a run that passed. */
  keep(path: string, from: CachePlace): Promise<Kept>;
}

/** What a runner may use of the run that it executes. */
export interface CheckIo extends Io {
  /** Opens a step in the log; steps do not nest. */
  step(name: string): Promise<Step>;
  /** From here on the value is taken out of the log and of the ending's words; of the order's secrets that is done already. */
  conceal(value: string): void;
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
