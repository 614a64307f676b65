/** What anything that executes a run may use. */
export interface Io {
  /** Await it: that is the back-pressure. Masked before it is kept. */
  write(output: Uint8Array): Promise<void>;
  /** Aborted with its reason: a cancellation, a time-out, `shutdown`, or `lease lost`. */
  readonly stop: AbortSignal;
  /** Durable; handed back as `remembered` after a crash (a Jenkins queue item, a Heroku build). */
  remember(handle: unknown): Promise<void>;
  readonly remembered: unknown;
}
