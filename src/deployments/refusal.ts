/** Why something that a person asked for is not done; nothing has changed then. */
export interface Refusal {
  readonly kind: "refused";
  readonly because:
    | "unknown environment"
    | "unknown commit"
    | "not on the branch"
    | "file"
    | "under way"
    | "nothing to do"
    | "not allowed"
    | "locked";
  /** For the person: what is wrong and, where there is something, what to do. */
  readonly sentence: string;
}

export function refused(because: Refusal["because"], sentence: string): Refusal {
  return { kind: "refused", because, sentence };
}
