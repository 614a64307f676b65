/** The words of a command were not understood; the message says which, and what there is. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
