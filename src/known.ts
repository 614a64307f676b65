import type { Known } from "./repository-file/schema.ts";
import { runnerOptions } from "./runners/index.ts";
import { targets } from "./targets/index.ts";

/** What a repository's file may name on this server. `maxTimeout` in milliseconds; two hours unless the server's settings say otherwise. */
export function knownWith({ maxTimeout = 2 * 3_600_000 }: { readonly maxTimeout?: number } = {}): Known {
  return {
    runners: runnerOptions,
    targets: new Map([...targets].map(([name, target]) => [name, target.options])),
    previews: new Map(
      [...targets].flatMap(([name, { previewOptions }]) => (previewOptions === null ? [] : [[name, previewOptions] as const])),
    ),
    maxTimeout,
  };
}
