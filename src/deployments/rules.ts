import type { Approvals, Freeze, RepositoryFile } from "../repository-file/repository-file.ts";

/** What gates an environment's deployments. */
export interface Rules {
  readonly requireChecks: RequiredChecks;
  readonly after: string | null;
  readonly approvals: Approvals | null;
  readonly freeze: readonly Freeze[];
  readonly rollback: "automatic" | "manual";
}

export type RequiredChecks =
  | { readonly kind: "all" }
  | { readonly kind: "none" }
  /** `names` are checks of ours, of which our own database knows; `contexts` are statuses and check runs of others. */
  | { readonly kind: "these"; readonly names: readonly string[]; readonly contexts: readonly string[] };

/** The rules that the default branch's file has for an environment; `null` when it has no such environment. */
export function rulesOf(file: RepositoryFile, environment: string): Rules | null {
  const plan = file.environments[environment];
  if (plan === undefined) return null;
  const { after, approvals, freeze, rollback } = plan;
  return { requireChecks: requiredOf(file, plan.requireChecks), after, approvals, freeze, rollback };
}

function requiredOf(
  { checks }: RepositoryFile,
  required: RepositoryFile["environments"][string]["requireChecks"],
): RequiredChecks {
  if (required.kind !== "these") return required;
  const names = required.names.filter((name) => checks[name] !== undefined);
  const contexts = required.names.filter((name) => checks[name] === undefined);
  return { kind: "these", names, contexts };
}
