/** Why an image cannot be used, in a sentence for the operator. */
export class ImageProblem extends Error {
  override readonly name = "ImageProblem";
  /** Whether the same may work later. */
  readonly retryable: boolean;
  readonly fix: string | null;

  constructor(message: string, { retryable = false, fix = null }: { retryable?: boolean; fix?: string | null } = {}) {
    super(message);
    this.retryable = retryable;
    this.fix = fix;
  }
}
