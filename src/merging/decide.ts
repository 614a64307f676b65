import type { MergeablePullRequest } from "../github/merging.ts";
import type { Automerge } from "../repository-file/repository-file.ts";

/** What must be green. `never`: nothing will run it on this head. */
export interface Needed {
  readonly name: string;
  readonly state: "passed" | "pending" | "failed" | "never";
}

export interface MergeFacts {
  readonly rule: Automerge;
  readonly pull: MergeablePullRequest;
  /** The checks of the base branch's and the head's file, and what the base branch requires. */
  readonly needed: readonly Needed[];
}

export type MergeVerdict =
  /** Nobody wants it merged. */
  | { readonly kind: "leave" }
  /** An event will tell when it goes on. */
  | { readonly kind: "wait" }
  /** GitHub is still finding out whether it can be merged. */
  | { readonly kind: "ask again" }
  /** Somebody must do something. */
  | { readonly kind: "say"; readonly why: string }
  | { readonly kind: "merge"; readonly sha: string; readonly method: Automerge["method"] };

/** Whether a pull request is merged now. Never without a single check, and never a head that is not green. */
export function decideMerge({ rule, pull, needed }: MergeFacts): MergeVerdict {
  if (!isWanted(rule, pull)) return { kind: "leave" };
  if (needed.length === 0)
    return { kind: "say", why: "neither the file nor the rules of its base branch name a check, and nothing is merged unseen" };
  if (needed.some(({ state }) => state === "pending" || state === "failed")) return { kind: "wait" };
  const never = needed.filter(({ state }) => state === "never").map(({ name }) => name);
  if (never.length > 0)
    return {
      kind: "say",
      why: `${never.join(", ")} of the base branch's file did not run on this head, whose own file lacks ${never.length === 1 ? "it" : "them"}`,
    };
  if (pull.mergeable === null) return { kind: "ask again" };
  if (!pull.mergeable) return { kind: "say", why: "it conflicts with its base branch" };
  return { kind: "merge", sha: pull.headSha, method: rule.method };
}

/** Whether the rule is about this pull request as it is. GitHub tells labels apart without regard to capital letters. */
export function isWanted({ label }: Automerge, { state, draft, labels }: MergeablePullRequest): boolean {
  if (state !== "open" || draft) return false;
  return label === null || labels.some((one) => one.toLowerCase() === label.toLowerCase());
}
