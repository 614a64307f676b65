/** Thrown inside this target for what the author can mend; its message becomes the reason of `refused`. Nothing is live that was not before. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}
