/** Another system cannot be used now: the same may work later. */
export class PassingTrouble extends Error {
  override readonly name = "PassingTrouble";
  readonly retryable = true;
  /** When it says to come back, in milliseconds from now; `null` when it does not say. */
  readonly pause: number | null;

  constructor(message: string, pause: number | null = null, options?: ErrorOptions) {
    super(message, options);
    this.pause = pause;
  }
}

/** Who can act: `failed` is for the author of the repository's file, `errored` for the operator. */
export type Verdict =
  | { readonly kind: "failed"; readonly what: string }
  | { readonly kind: "errored"; readonly what: string; readonly fix?: string };

/** What another system answered, or did not, ends the run. */
export class FinalTrouble extends Error {
  override readonly name = "FinalTrouble";
  readonly verdict: Verdict;

  constructor(verdict: Verdict, options?: ErrorOptions) {
    super(verdict.what, options);
    this.verdict = verdict;
  }
}

/** For the operator. */
export function errored(what: string, fix?: string): FinalTrouble {
  return new FinalTrouble({ kind: "errored", what, ...(fix === undefined ? {} : { fix }) });
}

/** For the author of the repository's file. */
export function failed(what: string): FinalTrouble {
  return new FinalTrouble({ kind: "failed", what });
}
