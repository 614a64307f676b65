export type OutboundFault =
  /** It must not be asked: the address itself is refused, or a redirect leads where ours may not go. */
  | "refused"
  /** No name, no connection, no certificate, or a connection that broke. */
  | "unreachable"
  /** No whole answer in time. */
  | "slow"
  /** More bytes than were wanted. */
  | "too large";

/** A request to an address from a repository file that came to nothing. Its message names hosts, never a path, a query or a header: those may hold secrets. */
export class OutboundProblem extends Error {
  override readonly name = "OutboundProblem";
  readonly fault: OutboundFault;

  constructor(fault: OutboundFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }

  /** Whether the very same request may succeed later. */
  get retryable(): boolean {
    return this.fault === "unreachable" || this.fault === "slow";
  }
}
