import { notifiers } from "./notifying/index.ts";
import type { Known } from "./repository-file/schema.ts";
import { runnerOptions } from "./runners/index.ts";
import { home } from "./settings/read-values.ts";
import { targets as ours } from "./targets/index.ts";
import { withPlugIns } from "./targets/plug-ins.ts";
import type { AnyTarget } from "./targets/target.ts";

export type Targets = ReadonlyMap<string, AnyTarget>;

/** Our targets and those of packages, which are looked for in the project's folder and in the working directory. Rejects with a line for each that is not as it should be. */
export function targetsWith(packages: readonly string[]): Promise<Targets> {
  return withPlugIns(ours, packages, [...new Set([home, process.cwd()])]);
}

interface Server {
  /** Milliseconds; two hours unless the server's settings say otherwise. */
  readonly maxTimeout?: number;
  /** Ours alone unless there are plug-ins. */
  readonly targets?: Targets;
}

/** What a repository's file may name on this server. */
export function knownWith({ maxTimeout = 2 * 3_600_000, targets = ours }: Server = {}): Known {
  return {
    runners: runnerOptions,
    targets: new Map([...targets].map(([name, target]) => [name, target.options])),
    previews: new Map(
      [...targets].flatMap(([name, { previewOptions }]) => (previewOptions === null ? [] : [[name, previewOptions] as const])),
    ),
    notifiers: new Map([...notifiers].map(([name, notifier]) => [name, notifier.address])),
    maxTimeout,
  };
}
